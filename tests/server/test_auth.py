"""Nothing is open but health, and a token opens only what it names."""

from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import asyncpg
import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from ledger.core.refusals import Permission, Unauthenticated
from loyalty.v1.account_service_pb2 import (
    VIEW_FULL,
    GetAccountRequest,
    GetTierRequest,
    ListEntriesRequest,
)
from loyalty.v1.audit_service_pb2 import StreamEventsRequest, VerifyHistoryRequest
from loyalty.v1.ledger_service_pb2 import (
    AdvanceAccountRequest,
    BatchItem,
    BatchPostRequest,
    PostStreamRequest,
    RecallPointsRequest,
)
from loyalty.v1.member_service_pb2 import GetMemberRequest, GrantTierRequest
from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty.v1.types_pb2 import RECALL_ACTION_QUARANTINE, Origin
from server import auth, database
from server.auth import NameTaken, Principal, Tokens, Verb, create_token, list_tokens, revoke_token
from tests.server import requests
from tests.server.served import Caller, Served, info_of, refused

Code = grpc.StatusCode


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections of the running service's role."""
    async with await _pool(database) as opened:
        yield opened


async def _pool(dsn: str) -> asyncpg.Pool:
    return await database.pool(dsn)


async def make(pool: asyncpg.Pool, name: str = "till", **changes: Any) -> str:
    wanted: dict[str, Any] = {"business_units": ["market"], "verbs": ["earn"], **changes}
    async with pool.acquire() as connection:
        return await create_token(connection, name=name, **wanted)


async def test_a_token_names_its_client_units_and_verbs(pool: asyncpg.Pool) -> None:
    token = await make(pool)
    found = await Tokens(pool).principal(f"Bearer {token}")
    assert found == Principal("till", frozenset({"market"}), frozenset({"earn"}))


async def test_only_a_hash_of_the_token_is_stored(pool: asyncpg.Pool) -> None:
    token = await make(pool)
    row = await pool.fetchrow("SELECT * FROM api_token")
    assert row is not None
    assert token not in str(dict(row))
    assert row["token_hash"] == auth.token_hash(token)
    [record] = [item for item in await pool.fetch("SELECT 1 FROM api_token")]
    assert record[0] == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic x", "Bearer loy_made_up"])
async def test_anything_else_is_no_token(pool: asyncpg.Pool, header: str) -> None:
    await make(pool)
    with pytest.raises(Unauthenticated):
        await Tokens(pool).principal(header)


async def test_a_revoked_token_is_forgotten_when_the_memory_ends(pool: asyncpg.Pool) -> None:
    token = await make(pool)
    remembering, fresh = Tokens(pool), Tokens(pool, ttl_seconds=0)
    for tokens in (remembering, fresh):
        await tokens.principal(f"Bearer {token}")
    async with pool.acquire() as connection:
        assert await revoke_token(connection, name="till")
        assert not await revoke_token(connection, name="till")
    assert await remembering.principal(f"Bearer {token}")
    with pytest.raises(Unauthenticated):
        await fresh.principal(f"Bearer {token}")
    async with pool.acquire() as connection:
        [record] = await list_tokens(connection)
    assert record.revoked_at is not None


async def test_made_up_tokens_do_not_fill_the_memory(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "UNKNOWN_MAX", 3)
    tokens = Tokens(pool)
    for number in range(10):
        with pytest.raises(Unauthenticated):
            await tokens.principal(f"Bearer made-up-{number}")
    assert len(tokens._unknown) <= 3


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a/b"},
        {"name": ""},
        {"name": "x" * 65},
        {"business_units": []},
        {"business_units": ["Market"]},
        {"verbs": []},
        {"verbs": ["rule"]},
    ],
)
async def test_a_token_that_makes_no_sense_is_not_made(
    pool: asyncpg.Pool, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        await make(pool, **changes)


async def test_a_name_is_for_ever(pool: asyncpg.Pool) -> None:
    await make(pool)
    async with pool.acquire() as connection:
        await revoke_token(connection, name="till")
    with pytest.raises(NameTaken, match="already, or there was"):
        await make(pool)


def test_a_principal_needs_the_verb_and_the_unit() -> None:
    till = Principal("till", frozenset({"market"}), frozenset({"earn"}))
    till.require(Verb.EARN, "market")
    with pytest.raises(Permission):
        till.require(Verb.BURN, "market")
    with pytest.raises(Permission):
        till.require(Verb.EARN, "hotel")
    everywhere = Principal("group", frozenset({"*"}), frozenset({"earn"}))
    everywhere.require(Verb.EARN, "hotel")


CALLS: dict[str, Callable[[Caller], Any]] = {
    "earn": lambda caller: caller.ledger.PostDocument(requests.sale()),
    "earn in short": lambda caller: caller.ledger.EarnPoints(requests.earn()),
    "burn": lambda caller: caller.ledger.BurnPoints(requests.burn()),
    "burn by hold": lambda caller: caller.ledger.HoldPoints(requests.hold()),
    "burn by capture": lambda caller: caller.ledger.CaptureHold(requests.capture()),
    "burn taken back": lambda caller: caller.ledger.ReverseEntry(requests.reversal("x")),
    "advance": lambda caller: caller.ledger.AdvanceAccount(
        AdvanceAccountRequest(
            request_id="a", origin=Origin(business_unit="market"), member=requests.member()
        )
    ),
    "enrol": lambda caller: caller.members.EnrolMember(requests.enrolment("e-9", "9")),
    "tier": lambda caller: caller.members.GrantTier(
        GrantTierRequest(
            request_id="g",
            origin=Origin(business_unit="market"),
            member=requests.member(),
            tier="gold",
            reason="status match",
        )
    ),
    "recall": lambda caller: caller.ledger.RecallPoints(
        RecallPointsRequest(
            request_id="c",
            origin=Origin(business_unit="market"),
            member=requests.member(),
            recall_id="R",
            action=RECALL_ACTION_QUARANTINE,
            lot_ids=["L"],
            reason="paid twice",
        )
    ),
    "read a tier": lambda caller: caller.accounts.GetTier(GetTierRequest(member=requests.member())),
    "read a member": lambda caller: caller.members.GetMember(
        GetMemberRequest(member=requests.member())
    ),
    "read": lambda caller: caller.accounts.GetAccount(GetAccountRequest(member=requests.member())),
    "policy": lambda caller: caller.programme.PublishPolicy(
        PublishPolicyRequest(request_id="p", document="x")
    ),
    "audit": lambda caller: caller.audit.StreamEvents(StreamEventsRequest()).read(),
    "audit by check": lambda caller: caller.audit.VerifyHistory(VerifyHistoryRequest()).read(),
}


async def test_every_call_needs_a_token_and_its_verb(served: Served, caller: Caller) -> None:
    async with served.caller("") as nobody, served.caller("loy_made_up") as stranger:
        for call in CALLS.values():
            await refused(call(nobody), Code.UNAUTHENTICATED, "UNAUTHENTICATED")
            await refused(call(stranger), Code.UNAUTHENTICATED, "UNAUTHENTICATED")
    for name, call in CALLS.items():
        verb = name.split()[0]
        others = tuple(other.value for other in Verb if other.value != verb)
        token = await served.token(f"no-{name.replace(' ', '-')}", verbs=others)
        async with served.caller(token) as other:
            status = await refused(call(other), Code.PERMISSION_DENIED, "PERMISSION")
            assert info_of(status).metadata["verb"] == verb
            assert status.message.startswith(f"this token lacks verb {verb!r}; it has the verbs ")


async def test_a_client_of_one_unit_cannot_post_for_another(served: Served, caller: Caller) -> None:
    token = await served.token("market-till", units=("market",))
    async with served.caller(token) as till:
        assert (await till.ledger.PostDocument(requests.sale())).posting.entry_id
        foreign = requests.sale("r-9", document_id="T-9", unit="hotel")
        status = await refused(
            till.ledger.PostDocument(foreign), Code.PERMISSION_DENIED, "PERMISSION"
        )
        told = info_of(status).metadata
        assert (told["verb"], told["business_unit"]) == ("earn", "hotel")
        assert (told["missing"], told["business_units"]) == ("business unit 'hotel'", "market")
        assert status.message.startswith("this token lacks business unit 'hotel'; it has the verbs")
        items = [*requests.sales(1), BatchItem(post_document=foreign)]
        answer = await till.ledger.BatchPost(BatchPostRequest(items=items))
        assert answer.results[0].posting.entry_id
        assert answer.results[1].refusal.code == Code.PERMISSION_DENIED.value[0]


async def test_what_another_unit_did_is_not_to_be_known(served: Served, caller: Caller) -> None:
    earned = await caller.ledger.PostDocument(requests.sale(cents=5_000_00))
    burned = await caller.ledger.BurnPoints(requests.burn(points=500))
    await caller.ledger.HoldPoints(requests.hold())
    async with served.caller(await served.token("hotel-desk", units=("hotel",))) as desk:
        await refused(
            desk.ledger.ReverseEntry(requests.reversal(burned.posting.entry_id, unit="hotel")),
            Code.NOT_FOUND,
            "UNKNOWN_ENTRY",
        )
        seen = await desk.accounts.GetAccount(
            GetAccountRequest(member=requests.member(), view=VIEW_FULL)
        )
        assert {row.currency: row.held for row in seen.account.balances}["point"] == 500
        assert list(seen.account.holds) == []
        assert {lot.document for lot in seen.account.lots} == {""}
        listed = await desk.accounts.ListEntries(ListEntriesRequest(member=requests.member()))
        assert list(listed.entries) == []
    own = await caller.accounts.ListEntries(ListEntriesRequest(member=requests.member()))
    assert earned.posting.entry_id in {entry.entry_id for entry in own.entries}


async def test_an_auditor_of_some_units_has_to_name_one(served: Served) -> None:
    async with served.caller(await served.token("auditor", units=("market",))) as auditor:
        for unit in ("", "hotel"):
            stream = auditor.audit.StreamEvents(StreamEventsRequest(business_unit=unit))
            await refused(stream.read(), Code.PERMISSION_DENIED, "PERMISSION")


async def test_a_stream_of_batches_needs_a_token_and_looks_at_each_item(served: Served) -> None:
    async with served.caller("") as nobody:
        await refused(nobody.ledger.PostStream().read(), Code.UNAUTHENTICATED, "UNAUTHENTICATED")
    async with served.caller(await served.token("reader", verbs=("read",))) as reader:
        stream = reader.ledger.PostStream()
        await stream.write(PostStreamRequest(sequence=7, items=requests.sales(1)))
        answer = await stream.read()
        assert answer.results[0].refusal.code == Code.PERMISSION_DENIED.value[0]


async def test_health_is_open_and_reflection_needs_a_token(served: Served) -> None:
    question = ServerReflectionRequest(list_services="")
    async with grpc.aio.insecure_channel(served.address) as channel:
        # The stubs of these two services do not know asyncio.
        health: Any = HealthStub(channel)
        answer = await health.Check(HealthCheckRequest())
        assert answer.status == HealthCheckResponse.SERVING
        stub: Any = ServerReflectionStub(cast(grpc.Channel, channel))
        await refused(
            stub.ServerReflectionInfo(iter([question])).read(),
            Code.UNAUTHENTICATED,
            "UNAUTHENTICATED",
        )
        token = await served.token("tool", verbs=("read",))
        stream = stub.ServerReflectionInfo(
            iter([question]), metadata=(("authorization", f"Bearer {token}"),)
        )
        described = await stream.read()
        names = [service.name for service in described.list_services_response.service]
        assert "loyalty.v1.LedgerService" in names
