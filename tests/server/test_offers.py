"""Nothing that the contract says is forgotten: every call is offered, every write has a handler."""

from types import SimpleNamespace
from typing import Any, cast, get_args

import asyncpg
from google.protobuf.descriptor_pool import Default

from ledger.handlers import HANDLERS
from ledger.service import Ledger
from ledger.writes import CODES, WriteRequest
from loyalty.v1.ledger_service_pb2 import EarnPointsRequest, RecordActivityRequest
from server.auth import Tokens
from server.metrics import Metrics
from server.rpc import Door
from server.service import SERVICES
from server.services import (
    account_service,
    audit_service,
    ledger_service,
    member_service,
    programme_service,
)


async def test_every_call_of_the_contract_is_offered() -> None:
    metrics = Metrics()
    door = Door(Tokens(cast(asyncpg.Pool, None)), metrics)
    ledger = cast(Ledger, None)
    handlers: list[Any] = [
        ledger_service.LedgerServicer(ledger, metrics).handler(door),
        account_service.AccountServicer(ledger).handler(door),
        member_service.MemberServicer(ledger).handler(door),
        programme_service.ProgrammeServicer(ledger).handler(door),
        audit_service.AuditServicer(ledger).handler(door),
    ]
    stated = [
        f"/{service}/{method.name}"
        for service in SERVICES
        for method in Default().FindServiceByName(service).methods
    ]
    offered = [
        path
        for path in stated
        if any(handler.service(SimpleNamespace(method=path)) for handler in handlers)
    ]
    assert offered == stated


def test_every_write_has_a_code_and_a_handler() -> None:
    # The short forms are kept and decided as the documents that they stand for.
    writes = set(get_args(WriteRequest)) - {EarnPointsRequest, RecordActivityRequest}
    assert set(CODES) == writes
    assert set(HANDLERS) == writes
    assert len(set(CODES.values())) == len(CODES)
