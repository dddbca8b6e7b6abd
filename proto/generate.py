"""Writes what is made of the contract, or proves that what is committed is current.

    python proto/generate.py            writes all of it anew
    python proto/generate.py --check    writes nothing; exits 1 and names each file that differs

Made of the .proto files are the Python stubs beside them, docs/openapi.json with docs/openapi.html,
the descriptors that Envoy transcodes by, and the calls of the Python client. All is committed, so
that a clone runs without a compiler; the check keeps it honest.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import grpc_tools
from api_document import document
from api_page import page
from client_surface import surface
from google.protobuf import duration_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import error_details_pb2
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
ROOT = PROTO.parent
CONTRACT = PROTO / "loyalty"
# google/api and google/rpc, vendored as a module of their own so that buf works offline too.
THIRD_PARTY = PROTO / "third_party"
STUB_GLOB = "*_pb2*.py*"
OPENAPI = Path("docs/openapi.json")
OPENAPI_PAGE = Path("docs/openapi.html")
DESCRIPTORS = Path("deploy/envoy/loyalty.binpb")
SURFACE = Path("clients/python/loyalty_client/surface.py")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 written or current, 1 stale, 2 not compiled."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether all is current")
    check = parser.parse_args(arguments).check
    fresh = compile_contract()
    if fresh is None:
        return 2
    stale = stale_files(fresh)
    if check:
        for path in stale:
            print(f"not current: {path} (run `make gen` and commit)", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        write(ROOT / path, fresh.get(path))
        print(path)
    return 0


def compile_contract() -> Mapping[Path, bytes] | None:
    """Compile every .proto of the contract; paths are relative to ROOT. None: protoc refused."""
    sources = sorted(CONTRACT.rglob("*.proto"))
    services = [path for path in sources if re.search(r"^service ", path.read_text(), re.MULTILINE)]
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        compiled = root / "contract.binpb"
        described = ["--include_imports", "--include_source_info"]
        done = run_protoc([f"--descriptor_set_out={compiled}", *described], sources)
        done = done and run_protoc(plugin_options(scratch, ["python", "mypy"]), sources)
        # A file without a service would get a stub with nothing in it.
        done = done and run_protoc(plugin_options(scratch, ["grpc_python", "mypy_grpc"]), services)
        if not done:
            return None
        stubs = {
            PROTO.relative_to(ROOT) / path.relative_to(root): path.read_bytes()
            for path in root.rglob(STUB_GLOB)
        }
        return {**stubs, **described_files(FileDescriptorSet.FromString(compiled.read_bytes()))}


def described_files(compiled: FileDescriptorSet) -> Mapping[Path, bytes]:
    """What is made of the compiled contract with its comments."""
    described = document(compiled)
    text = json.dumps(described, ensure_ascii=False, indent=2) + "\n"
    return {
        OPENAPI: text.encode(),
        OPENAPI_PAGE: page(described).encode(),
        DESCRIPTORS: descriptors(compiled),
        SURFACE: surface(compiled).encode(),
    }


def descriptors(compiled: FileDescriptorSet) -> bytes:
    """The contract for Envoy: without comments, with the details that refusals may carry."""
    bare = FileDescriptorSet()
    bare.CopyFrom(compiled)
    for file in bare.file:
        file.ClearField("source_code_info")
    present = {file.name for file in bare.file}
    for module in (duration_pb2, error_details_pb2):
        if module.DESCRIPTOR.name not in present:
            module.DESCRIPTOR.CopyToProto(bare.file.add())
    return bare.SerializeToString(deterministic=True)


def run_protoc(options: list[str], sources: list[Path]) -> bool:
    """Run protoc on the sources; False when it refused (it printed why)."""
    if not sources:
        return True
    includes = [PROTO, THIRD_PARTY, Path(grpc_tools.__file__).parent / "_proto"]
    command = ["protoc", *(f"--proto_path={path}" for path in includes if path.is_dir())]
    return bool(protoc.main([*command, *options, *map(str, sources)]) == 0)


def plugin_options(out: str, plugins: list[str]) -> list[str]:
    """Options of protoc that let plugins write into a folder."""
    return [f"--{plugin}_out={out}" for plugin in plugins] + [
        f"--plugin=protoc-gen-{plugin}={plugin_program(plugin)}"
        for plugin in plugins
        if plugin.startswith("mypy")
    ]


def plugin_program(plugin: str) -> Path:
    """Path of a mypy-protobuf plugin: beside this interpreter, which need not be on the PATH."""
    return Path(sys.executable).parent / f"protoc-gen-{plugin}"


def stale_files(fresh: Mapping[Path, bytes]) -> list[Path]:
    """Paths whose committed bytes differ from the fresh ones, are missing, or have no source."""
    found = CONTRACT.rglob(STUB_GLOB)
    # Python keeps what it compiles below the stubs.
    stubs = {path.relative_to(ROOT) for path in found if path.suffix != ".pyc"}
    return [path for path in sorted(stubs | fresh.keys()) if content_of(path) != fresh.get(path)]


def content_of(path: Path) -> bytes | None:
    """What is committed; None where nothing is."""
    return (ROOT / path).read_bytes() if (ROOT / path).is_file() else None


def write(path: Path, content: bytes | None) -> None:
    """Write a file, or remove a stub whose .proto is gone."""
    if content is None:
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
