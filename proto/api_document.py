"""From the compiled contract to an OpenAPI 3.1 document of its HTTP routes.

Comments become descriptions; the JSON of an RPC's grpcurl example becomes its example.
"""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, Parse
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

Json = dict[str, Any]
PACKAGE: Final = ".loyalty.v1."
STATUS: Final = "google.rpc.Status"
DETAILS: Final = ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage")
"""What a refusal may say besides its sentence."""

_Field = FieldDescriptorProto
WELL_KNOWN: Final[dict[str, Json]] = {
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    ".google.rpc.Status": {"$ref": f"#/components/schemas/{STATUS}"},
}
SCALARS: Final[dict[int, Json]] = {
    _Field.TYPE_STRING: {"type": "string"},
    _Field.TYPE_BOOL: {"type": "boolean"},
    _Field.TYPE_INT32: {"type": "integer", "format": "int32"},
    # As JavaScript's numbers do not hold 64 bits, protobuf writes them as text.
    _Field.TYPE_INT64: {
        "type": "string",
        "format": "int64",
        "pattern": "^(0|-?[1-9][0-9]{0,18})$",
    },
    _Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}

ABOUT: Final = """\
Every call of the ledger that is no stream, as JSON over HTTP: one route each, `POST` with the
request as the body, or `GET` with it in the query where it is flat. `docs/json.md` has examples.

* Numbers of 64 bits are texts (`"1250"`); a request may write them as numbers, too.
* A field that a request does not have is refused with its name: nothing is dropped in silence.
* Retrying any write with its `request_id` is always safe; the first answer comes back.
* A refusal is a `google.rpc.Status`: `reason` and `metadata` of its `ErrorInfo` are for programs,
  `LocalizedMessage` is what a cashier may read aloud. `docs/refusals.md` lists every reason.
"""


class Contract:
    """The compiled files, with their comments at hand."""

    def __init__(self, compiled: FileDescriptorSet) -> None:
        """Read what protoc wrote with --include_imports and --include_source_info."""
        self._pool = DescriptorPool()
        for each in compiled.file:
            self._pool.Add(each)
        self.files = [file for file in compiled.file if file.package == "loyalty.v1"]
        self.messages = {PACKAGE + each.name: each for f in self.files for each in f.message_type}
        self.enums = {PACKAGE + each.name: each for f in self.files for each in f.enum_type}
        self._comments: dict[str, str] = {}
        for file in self.files:
            said = {
                tuple(place.path): _paragraphs(place.leading_comments)
                for place in file.source_code_info.location
            }
            self._comments |= {name: said.get(path, "") for path, name in _commented(file)}

    def comment(self, *names: str) -> str:
        """The comment of a type, or of a part of one; empty without one."""
        return self._comments.get(".".join(names), "")

    def canonical(self, name: str, text: str) -> Json:
        """JSON of a message as protobuf writes it: with texts for numbers of 64 bits."""
        kind = GetMessageClass(self._pool.FindMessageTypeByName(name.removeprefix(".")))
        written: Json = MessageToDict(Parse(text, kind()), preserving_proto_field_name=True)
        return written


def _commented(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """What may have a comment: where protoc puts it, and its name."""
    parts: list[tuple[int, int, str, list[str]]] = []
    for at, message in enumerate(file.message_type):
        parts.append((4, at, message.name, [field.name for field in message.field]))
    for at, enum in enumerate(file.enum_type):
        parts.append((5, at, enum.name, [value.name for value in enum.value]))
    for at, service in enumerate(file.service):
        parts.append((6, at, service.name, [method.name for method in service.method]))
    for kind, at, name, inner in parts:
        yield (kind, at), PACKAGE + name
        yield from (
            ((kind, at, 2, each), f"{PACKAGE}{name}.{part}") for each, part in enumerate(inner)
        )


def _paragraphs(comment: str) -> str:
    lines = [line.removeprefix(" ") for line in comment.strip("\n").split("\n")]
    return "\n".join(lines).strip()


def document(compiled: FileDescriptorSet) -> Json:
    """The OpenAPI document."""
    contract = Contract(compiled)
    calls = list(_calls(contract))
    asked = _reached(contract, [method.input_type for _, method in calls])
    answered = _reached(contract, [method.output_type for _, method in calls])
    paths: dict[str, Json] = {}
    for tag, method in calls:
        verb, path = _route(method)
        paths[path] = {verb: _operation(contract, tag, method, verb)}
    schemas = {
        **{_title(name): _schema(contract, name, asked, answered) for name in asked | answered},
        **_refusal_schemas(),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Loyalty ledger",
            "version": "v1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:8080", "description": "`loyalty gateway`"}],
        "security": [{"token": []}],
        "tags": [
            {"name": service.name, "description": contract.comment(PACKAGE + service.name)}
            for file in contract.files
            for service in file.service
            if service.name in {tag for tag, _ in calls}
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "What `loyalty token create` printed.",
                }
            },
            "responses": {"Refusal": _refusal()},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _calls(contract: Contract) -> Iterator[tuple[str, MethodDescriptorProto]]:
    for file in contract.files:
        for service in file.service:
            for method in service.method:
                if not (method.client_streaming or method.server_streaming):
                    yield service.name, method


def _route(method: MethodDescriptorProto) -> tuple[str, str]:
    options: Any = method.options
    rule = options.Extensions[annotations_pb2.http]
    return ("get", rule.get) if rule.get else ("post", rule.post)


def _reached(contract: Contract, names: list[str]) -> set[str]:
    """Messages and enums that stand in these messages, themselves included."""
    reached: set[str] = set()
    while names:
        name = names.pop()
        if name in reached or name not in contract.messages | contract.enums:
            continue
        reached.add(name)
        if name in contract.messages:
            names += [field.type_name for field in contract.messages[name].field]
    return reached


def _operation(contract: Contract, tag: str, method: MethodDescriptorProto, verb: str) -> Json:
    said, example = _without_example(contract.comment(PACKAGE + tag, method.name))
    summary, _, _ = said.partition(". ")
    operation: Json = {
        "operationId": method.name,
        "tags": [tag],
        "summary": summary.replace("\n", " ").rstrip("."),
        "description": said,
    }
    if verb == "get":
        operation["parameters"] = [
            {
                "name": field.name,
                "in": "query",
                "description": contract.comment(method.input_type, field.name),
                "schema": _type(field),
            }
            for field in contract.messages[method.input_type].field
        ]
    else:
        content: Json = {"schema": _ref(method.input_type)}
        if example:
            content["example"] = contract.canonical(method.input_type, example)
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    answer = {"application/json": {"schema": _ref(method.output_type)}}
    operation["responses"] = {
        "200": {
            "description": contract.comment(method.output_type),
            "content": answer,
        },
        "default": {"$ref": "#/components/responses/Refusal"},
    }
    return operation


def _without_example(comment: str) -> tuple[str, str]:
    """An RPC's comment without its example, and the JSON in that; empty where there is none."""
    said, _, command = comment.partition("\n\ngrpcurl ")
    # Some have a command line instead.
    said = re.sub(r"\n\nloyalty .*", "", said, flags=re.DOTALL)
    given = re.search(r"-d '(.*)'", command, re.DOTALL)
    return said, given.group(1) if given else ""


def _schema(contract: Contract, name: str, asked: set[str], answered: set[str]) -> Json:
    if name in contract.enums:
        return _enum(contract, name)
    message = contract.messages[name]
    choices = _choices(message)
    # Said in words, too: few readers of OpenAPI show what `not` and `maxProperties` amount to.
    said = [f"At most one of `{'`, `'.join(names)}`." for names in choices]
    schema: Json = {
        "type": "object",
        "description": "\n\n".join([contract.comment(name), *said]),
        "properties": {
            field.name: _type(field) | {"description": contract.comment(name, field.name)}
            for field in message.field
        },
    }
    if name not in answered:
        schema["additionalProperties"] = False
        needed = [
            field.name
            for field in message.field
            if _is_required(field, contract.comment(name, field.name))
        ]
    else:
        # An answer has every field, unless its absence says something; a request may be short.
        always = [field.name for field in message.field if not _has_presence(field)]
        needed = [] if name in asked else always
    if needed:
        schema["required"] = needed
    return schema | _exclusive(choices, len(message.field))


def _is_required(field: FieldDescriptorProto, said: str) -> bool:
    """Whether the field may not be left out: its comment says so, or allows no empty text."""
    if re.search(r"\bRequired\.|\bbusiness_unit is required\b|\bmay not be empty\b", said):
        return True
    one_text = field.label != _Field.LABEL_REPEATED and not field.HasField("oneof_index")
    return one_text and bool(re.search(r"\b1 to \d+ (printable )?characters\b", said))


def _has_presence(field: FieldDescriptorProto) -> bool:
    if field.label == _Field.LABEL_REPEATED:
        return False
    return field.type == _Field.TYPE_MESSAGE or field.HasField("oneof_index")


def _choices(message: DescriptorProto) -> list[list[str]]:
    """Fields of which only one may be there."""
    arms: dict[int, list[str]] = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            arms.setdefault(field.oneof_index, []).append(field.name)
    return [names for names in arms.values() if len(names) > 1]


def _exclusive(choices: list[list[str]], fields: int) -> Json:
    if choices and len(choices[0]) == fields:
        return {"maxProperties": 1}
    pairs = [pair for names in choices for pair in combinations(names, 2)]
    excluded = [{"not": {"required": [first, second]}} for first, second in pairs]
    return {"allOf": excluded} if excluded else {}


def _type(field: FieldDescriptorProto) -> Json:
    if field.type in (_Field.TYPE_MESSAGE, _Field.TYPE_ENUM):
        one = WELL_KNOWN.get(field.type_name) or _ref(field.type_name)
    else:
        one = SCALARS[field.type]
    return {"type": "array", "items": one} if field.label == _Field.LABEL_REPEATED else dict(one)


def _enum(contract: Contract, name: str) -> Json:
    enum = contract.enums[name]
    values = [f"* `{value.name}`: {contract.comment(name, value.name)}" for value in enum.value]
    return {
        "type": "string",
        "description": "\n".join([contract.comment(name), "", *values]),
        "enum": [value.name for value in enum.value],
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{_title(name)}"}


def _title(name: str) -> str:
    return name.removeprefix(PACKAGE)


def _refusal() -> Json:
    return {
        "description": (
            "Refused, and nothing was recorded; or, with 500, 503 and 504, it is not known, and"
            " the same `request_id` tells. `code` is gRPC's; HTTP's is the usual one for it:"
            " 400 for 3, 9 and 11; 401 for 16; 403 for 7; 404 for 5; 409 for 6 and 10;"
            " 429 for 8; 503 for 14; 504 for 4; else 500."
        ),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{STATUS}"}}},
    }


def _refusal_schemas() -> dict[str, Json]:
    """google.rpc.Status and its details, which the contract only imports."""
    file = FileDescriptorProto()
    error_details_pb2.DESCRIPTOR.CopyToProto(file)
    kinds = {message.name: message for message in file.message_type}
    details = [_detail(kinds[name]) for name in DETAILS]
    return {
        STATUS: {
            "type": "object",
            "description": "A refusal.",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "integer", "description": "Code of gRPC."},
                "message": {"type": "string", "description": "A sentence for a developer."},
                "details": {
                    "type": "array",
                    "description": "`ErrorInfo` always; the others where they help.",
                    "items": {"oneOf": details},
                },
            },
        }
    }


def _detail(message: DescriptorProto) -> Json:
    kind = f"type.googleapis.com/google.rpc.{message.name}"
    properties: Json = {"@type": {"const": kind}}
    for field in message.field:
        nested = {f".google.rpc.{message.name}.{each.name}": each for each in message.nested_type}
        part = nested.get(field.type_name)
        if part is None:
            properties[field.name] = _type(field)
        elif part.options.map_entry:
            properties[field.name] = {"type": "object", "additionalProperties": {"type": "string"}}
        else:
            inner = {each.name: dict(SCALARS.get(each.type, {})) for each in part.field}
            items = {"type": "object", "properties": inner}
            properties[field.name] = {"type": "array", "items": items}
    return {
        "title": message.name,
        "type": "object",
        "required": ["@type"],
        "properties": properties,
    }
