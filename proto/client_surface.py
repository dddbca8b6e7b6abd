"""The calls of the Python client, a line for each call of the contract."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

PACKAGE: Final = "loyalty.v1"
LINE: Final = 100
_HEAD: Final = '''\
"""Every call of the contract, as both clients have it. Written by proto/generate.py."""

from collections.abc import Mapping
from typing import Any, Final

'''
_CLASS: Final = '''\
from loyalty_client.calls import Call, Dialogue, Feed, Unary


class Surface:
    """The calls, by service. What each does stands in its .proto file."""
'''
_FOOT: Final = '''

CALLS: Final[Mapping[str, Call[Any, Any]]] = {
    call.method: call for call in vars(Surface).values() if isinstance(call, Call)
}
"""By name: "loyalty.v1.LedgerService/BurnPoints"."""
'''
_KINDS: Final = {(False, False): "Unary", (False, True): "Feed", (True, True): "Dialogue"}


def surface(compiled: FileDescriptorSet) -> str:
    """Text of clients/python/loyalty_client/surface.py."""
    files = sorted(
        (file for file in compiled.file if file.package == PACKAGE and file.service),
        key=lambda file: file.name,
    )
    imports = [f"from {PACKAGE} import {_module(file)} as {_short(file)}\n" for file in files]
    calls = [line for file in files for service in file.service for line in _calls(file, service)]
    return _HEAD + "".join(imports) + _CLASS + "".join(calls) + _FOOT


def _module(file: FileDescriptorProto) -> str:
    return file.name.rpartition("/")[2].replace(".proto", "_pb2")


def _short(file: FileDescriptorProto) -> str:
    """How the surface calls the module: "ledger"."""
    return _module(file).removesuffix("_pb2").removesuffix("_service")


def _calls(file: FileDescriptorProto, service: ServiceDescriptorProto) -> Iterator[str]:
    yield "\n"
    for method in service.method:
        kind = _KINDS[method.client_streaming, method.server_streaming]
        messages = ", ".join(
            f"{_short(file)}.{name.rpartition('.')[2]}"
            for name in (method.input_type, method.output_type)
        )
        line = f"    {_attribute(method)} = {kind}({messages})\n"
        if len(line) > LINE + 1:
            line = f"    {_attribute(method)} = {kind}(\n        {messages}\n    )\n"
        yield line


def _attribute(method: MethodDescriptorProto) -> str:
    """Name of a call in Python: "burn_points"."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in method.name).removeprefix("_")
