"""Writes the Python stubs beside the .proto files, or proves that the committed ones are current.

    python proto/generate.py            writes proto/loyalty/v1/*_pb2*.py and .pyi
    python proto/generate.py --check    writes nothing; exits 1 and names each stub that differs

The stubs are committed, so that a clone runs without a compiler; the check keeps them honest.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
CONTRACT = PROTO / "loyalty"
# google/api and google/rpc, vendored as a module of their own so that buf works offline too.
THIRD_PARTY = PROTO / "third_party"
STUB_GLOB = "*_pb2*.py*"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code: 0 written or current, 1 stale, 2 not compiled."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether stubs are current")
    check = parser.parse_args(arguments).check
    fresh = compile_contract()
    if fresh is None:
        return 2
    stale = stale_stubs(fresh)
    if check:
        for path in stale:
            print(f"not current: proto/{path} (run `make gen` and commit)", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        write_stub(PROTO / path, fresh.get(path))
        print(f"proto/{path}")
    return 0


def compile_contract() -> Mapping[Path, bytes] | None:
    """Compile every .proto of the contract; paths are relative to proto/. None: protoc refused."""
    sources = sorted(CONTRACT.rglob("*.proto"))
    services = [path for path in sources if re.search(r"^service ", path.read_text(), re.MULTILINE)]
    with tempfile.TemporaryDirectory() as scratch:
        messages_done = run_protoc(scratch, ["python", "mypy"], sources)
        # A file without a service would get a stub with nothing in it.
        if not messages_done or not run_protoc(scratch, ["grpc_python", "mypy_grpc"], services):
            return None
        root = Path(scratch)
        return {path.relative_to(root): path.read_bytes() for path in root.rglob(STUB_GLOB)}


def run_protoc(out: str, plugins: list[str], sources: list[Path]) -> bool:
    """Run protoc with the plugins on the sources; False when it refused (it printed why)."""
    if not sources:
        return True
    includes = [PROTO, THIRD_PARTY, Path(grpc_tools.__file__).parent / "_proto"]
    command = ["protoc", *(f"--proto_path={path}" for path in includes if path.is_dir())]
    command += [f"--{plugin}_out={out}" for plugin in plugins]
    command += [
        f"--plugin=protoc-gen-{plugin}={plugin_program(plugin)}"
        for plugin in plugins
        if plugin.startswith("mypy")
    ]
    return bool(protoc.main([*command, *map(str, sources)]) == 0)


def plugin_program(plugin: str) -> Path:
    """Path of a mypy-protobuf plugin: beside this interpreter, which need not be on the PATH."""
    return Path(sys.executable).parent / f"protoc-gen-{plugin}"


def stale_stubs(fresh: Mapping[Path, bytes]) -> list[Path]:
    """Paths whose committed bytes differ from the fresh ones, are missing, or have no source."""
    present = {path.relative_to(PROTO) for path in CONTRACT.rglob(STUB_GLOB)}
    return [
        path
        for path in sorted(present | fresh.keys())
        if path not in present or fresh.get(path) != (PROTO / path).read_bytes()
    ]


def write_stub(path: Path, content: bytes | None) -> None:
    """Write a stub, or remove one whose .proto is gone."""
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
