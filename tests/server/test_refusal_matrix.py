"""Every write with something wrong: refusal_matrix.md tells the answer, a real server gives it.

A new call that writes fails here until the table says what it refuses.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
import yaml
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass

from loyalty.v1 import (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
)
from loyalty.v1 import programme_service_pb2 as policies
from loyalty.v1.ledger_service_pb2 import BatchItem, BatchPostRequest
from loyalty.v1.member_service_pb2 import (
    CloseMemberRequest,
    EraseMemberRequest,
    SuspendMemberRequest,
)
from loyalty.v1.types_pb2 import ERASED_BALANCE_FORFEITED, ERASURE_REQUESTER_MEMBER
from server.status import CODES
from tests.database_fixtures import execute, fresh_name, renamed
from tests.server import requests
from tests.server.served import (
    POLICY,
    Caller,
    info_of,
    serving,
    status_of,
    violations_of,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
TABLE, TWICE = (
    Path(__file__)
    .with_name("refusal_matrix.md")
    .read_text(encoding="utf-8")
    .split("# Which of two is said\n")
)
RIGHT: dict[str, Any] = yaml.safe_load(TABLE.split("```yaml\n")[1].split("```")[0])
WHOLE = {"member": "every write for a member", "origin": "every write at a unit"}
MORE = """
transfers: [{id: gift, currency: point}]
conversions: [{id: swap, currency: point, into: mile, rate: 4/5, issuer: hotel}]
adjustments: {points_alone: 5000, proposal_days: 10, reasons: [{id: goodwill, max_points: 5000}]}
segments: [staff]
"""


READS = ("Get", "List", "Quote", "Explain", "Check", "Diff", "Stream", "Trace", "Verify")
BATCHES = {"BatchPost", "PostStream"}
ONE_FAULT_AT_MOST = {"AdvanceAccount", "ContinueMerge"}
"""Calls for a member of whom nothing but the name can be wrong."""
ERASED: dict[str, str] = {}
"""Id of the member who was erased."""


def calls() -> dict[str, MethodDescriptor]:
    """Every call of every service."""
    files = (
        account_service_pb2,
        audit_service_pb2,
        ledger_service_pb2,
        member_service_pb2,
        policies,
    )
    return {
        method.name: method
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def writes() -> dict[str, MethodDescriptor]:
    """Every call whose request carries the id under which it is recorded once."""
    return {
        name: method
        for name, method in calls().items()
        if "request_id" in method.input_type.fields_by_name
    }


@dataclass(frozen=True)
class Row:
    """One thing that is wrong with one call."""

    call: str
    wrong: str
    change: str
    reason: str
    field: str


def told(table: str = TABLE) -> list[tuple[str, ...]]:
    found = re.findall(r"^\| (.+?) \|$", table, re.MULTILINE)
    return [tuple(cell.strip() for cell in f"{line} ".split(" | ")) for line in found[1:]]


def rows() -> Iterator[Row]:
    """The rows of the table; those of every write once for each call that is meant."""
    for call, *rest in told():
        if not call.startswith("every write"):
            yield Row(call, *rest)
            continue
        for name, method in writes().items():
            fields = method.input_type.fields_by_name
            if call == "every write" or any(
                call == WHOLE[part] for part in WHOLE if part in fields
            ):
                yield Row(name, *rest)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def callers(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Caller]]:
    """One server for all rows: nothing that is refused leaves a trace for the next one."""
    name = fresh_name()
    await execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    folder = tmp_path_factory.mktemp("refusals")
    async with serving(renamed(postgres_url, name), folder) as served:
        tokens = {
            "all": await served.token("all"),
            "reader": await served.token("reader", verbs=("read",)),
            "hotelier": await served.token("hotelier", units=("hotel",)),
            "none": "",
        }
        async with grpc.aio.insecure_channel(served.address) as channel:
            made = {who: Caller(channel, token) for who, token in tokens.items()}
            await _lived(made["all"])
            yield made
    await execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _lived(caller: Caller) -> None:
    text = POLICY.read_text(encoding="utf-8") + MORE
    text = text.replace("currencies:\n", "currencies:\n  - {id: mile, role: spendable}\n", 1)
    await caller.programme.PublishPolicy(
        policies.PublishPolicyRequest(request_id="p", document=text, allow_retroactive=True)
    )
    for card in ("8800", "8801", "8802", "8803", "8804"):
        await caller.members.EnrolMember(requests.enrolment(f"e-{card}", card))
    await caller.ledger.PostDocument(requests.sale(cents=500_00))
    for card, call, kind in (
        ("8802", caller.members.SuspendMember, SuspendMemberRequest),
        ("8803", caller.members.CloseMember, CloseMemberRequest),
    ):
        asked = kind(request_id=f"m-{card}", member=requests.member(card), reason="test")
        asked.origin.business_unit = "market"
        await call(asked)
    erasing = EraseMemberRequest(
        request_id="m-8804",
        member=requests.member("8804"),
        balance=ERASED_BALANCE_FORFEITED,
        requested_by=ERASURE_REQUESTER_MEMBER,
    )
    erasing.origin.business_unit = "market"
    erased = await caller.members.EraseMember(erasing)
    ERASED["$erased"] = erased.certificate.member_id


def asked(row: Row) -> tuple[str, Any]:
    """Who asks, and the right request with what is wrong about it."""
    fields = writes()[row.call].input_type.fields_by_name
    body: dict[str, Any] = yaml.safe_load(yaml.safe_dump(RIGHT[row.call]))
    body["request_id"] = f"{row.call}-{row.wrong}"[:60]
    if "origin" in fields:
        body["origin"] = {"business_unit": "market"}
    if "member" in fields:
        body["member"] = {"identity": {"scheme": "card", "value": "8800"}}
    who = "all"
    for change in row.change.split(" ; "):
        path, _, value = change.partition(" = ")
        value = value.replace("$erased", ERASED.get("$erased", ""))
        if path == "token":
            who = value
        else:
            _put(body, path.split("."), None if value == "-" else yaml.load(value, _Plain))
    return who, ParseDict(body, GetMessageClass(writes()[row.call].input_type)())


class _Plain(yaml.SafeLoader):
    """YAML in which a time stays the text that it is."""


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Plain.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def _put(body: dict[str, Any], path: list[str], value: object) -> None:
    for name in path[:-1]:
        body = body.setdefault(name, {})
    if value is None:
        body.pop(path[-1], None)
    else:
        body[path[-1]] = value


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.call}: {row.wrong}")
async def test_what_is_wrong_is_said(callers: dict[str, Caller], row: Row) -> None:
    await _is_told(callers, row)


@pytest.mark.parametrize(
    "row", [Row(*row) for row in told(TWICE)], ids=lambda row: f"{row.call}: {row.wrong}"
)
async def test_of_two_faults_the_first_in_the_order_is_told(
    callers: dict[str, Caller], row: Row
) -> None:
    await _is_told(callers, row)


async def test_every_call_for_a_member_is_wrong_in_two_ways() -> None:
    for_members = {
        name for name, call in writes().items() if "member" in call.input_type.fields_by_name
    }
    assert {call for call, *_ in told(TWICE)} == for_members - ONE_FAULT_AT_MOST


async def _is_told(callers: dict[str, Caller], row: Row) -> None:
    who, request = asked(row)
    call = f"{writes()[row.call].containing_service.name}/{row.call}"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await callers[who].raw(call, request.SerializeToString())
    status = status_of(error.value)
    info = info_of(status)
    assert (info.reason, error.value.code()) == (row.reason, CODES[row.reason]), status.message
    name, _, value = row.field.partition("=")
    if value:
        assert info.metadata[name] == value
    elif info.metadata.get("field"):
        assert info.metadata["field"] == name
        assert violations_of(status) == [name]
        # A value that is empty is left out; what would be right is always told.
        assert info.metadata.get("expected") or info.metadata.get("known")
    elif name:
        assert info.metadata[name]


async def test_every_call_that_writes_has_a_request_and_rows_of_its_own() -> None:
    rows_of_their_own = {call for call, *_ in told() if not call.startswith("every write")}
    assert set(RIGHT) == set(writes())
    assert rows_of_their_own == set(writes())
    others = set(calls()) - set(writes())
    assert {name for name in others if not name.startswith(READS)} == BATCHES


async def test_a_batch_says_of_each_item_what_its_own_call_says(
    callers: dict[str, Caller],
) -> None:
    batch, expected = BatchPostRequest(), []
    arms = {
        arm.message_type.full_name: arm.name
        for arm in BatchItem.DESCRIPTOR.fields
        if arm.message_type
    }
    for row in rows():
        who, request = asked(row)
        arm = arms.get(request.DESCRIPTOR.full_name)
        if who == "all" and arm is not None:
            getattr(batch.items.add(), arm).CopyFrom(request)
            expected.append((row.call, row.wrong, row.reason))
    answer = await callers["all"].ledger.BatchPost(batch)
    said = [info_of(result.refusal).reason for result in answer.results]
    told_of = [(*named[:2], reason) for named, reason in zip(expected, said, strict=True)]
    assert told_of == expected
    assert {call for call, *_ in expected} == {
        name for name in writes() if writes()[name].input_type.full_name in arms
    }
