"""What stands in the ledger of an older programme's rows, for whoever has the file to compare."""

from collections.abc import Iterable
from typing import Final

from ledger.core.events import AnyFact, decode
from ledger.core.usage import METRIC
from ledger.identities import IdentityHash
from ledger.keys import row_thing, source_thing
from ledger.lanes import account_of
from ledger.rows import ActRow, IdentityKey
from ledger.store import Store
from loyalty.v1.events_pb2 import OpeningLotRecorded, OpeningRecorded, OpeningSourceDeclared
from loyalty.v1.ledger_service_pb2 import (
    OPENING_MEMBER_OTHER,
    OPENING_MEMBER_SAME,
    GetOpeningsRequest,
    GetOpeningsResponse,
    OpeningQuestion,
    OpeningRow,
)
from loyalty.v1.types_pb2 import MemberRef, OpeningLot, OpeningMetric, Usage

_COUNT: Final = """
SELECT count(*) FROM generate_series(0, $1::integer - 1) AS l(lane)
  JOIN request r ON r.key_lane = l.lane AND r.key > $2 || '/' AND r.key < $2 || '0'
"""
"""Rows of a source are the keys that begin with it and '/', the character before '0'."""


class OpeningReads:
    """Answers what came in from a source."""

    def __init__(self, store: Store, hashed: IdentityHash) -> None:
        """Read from `store`; identities are looked up by their hash."""
        self._store = store
        self._hashed = hashed

    async def rows(self, request: GetOpeningsRequest) -> GetOpeningsResponse:
        """The rows that are asked for, in order, each as it came in."""
        source = source_thing(request.source)
        things = {row_thing(request.source, asked.row): asked for asked in request.rows}
        acts: dict[str, list[ActRow]] = {}
        for act in await self._store.find_acts([source, *things]):
            acts.setdefault(act.thing, []).append(act)
        response = GetOpeningsResponse()
        for act in acts.get(source, ()):
            declared = decode(act.payload)
            assert isinstance(declared, OpeningSourceDeclared), "a source has no other acts"
            response.source_digest = declared.source_digest
        holders = await self._holders(request.rows)
        for thing, asked in things.items():
            row = response.rows.add(row=asked.row)
            if thing in acts:
                _fill(row, acts[thing])
                if asked.HasField("member"):
                    same = self._account(asked.member, holders) == row.member_id
                    row.member = OPENING_MEMBER_SAME if same else OPENING_MEMBER_OTHER
        if request.count:
            pool = self._store.pool
            response.recorded_rows = await pool.fetchval(_COUNT, self._store.lanes, source)
        return response

    async def _holders(self, asked: Iterable[OpeningQuestion]) -> dict[IdentityKey, str]:
        keys = {self._key(each.member) for each in asked if each.member.HasField("identity")}
        found = await self._store.find_identities(sorted(keys)) if keys else {}
        return {key: holder.account for key, holder in found.items()}

    def _key(self, member: MemberRef) -> IdentityKey:
        return member.identity.scheme, self._hashed.of(member.identity)

    def _account(self, member: MemberRef, holders: dict[IdentityKey, str]) -> str:
        if member.HasField("identity"):
            return holders.get(self._key(member), "")
        return member.member_id


def _fill(row: OpeningRow, acts: Iterable[ActRow]) -> None:
    """Tell a row as it came in; facts of the same write that are not about it are left out."""
    row.recorded = True
    for act in acts:
        row.member_id = account_of(act.stream)
        _take(row, decode(act.payload))


def _take(row: OpeningRow, fact: AnyFact) -> None:
    match fact:
        case OpeningRecorded():
            row.metrics.extend(map(_metric, fact.usages))
            if fact.HasField("tier"):
                row.tier.CopyFrom(fact.tier)
            if fact.HasField("member_since_time"):
                row.member_since_time.CopyFrom(fact.member_since_time)
        case OpeningLotRecorded():
            row.lots.append(
                OpeningLot(
                    currency=fact.currency,
                    points=fact.points,
                    business_unit=fact.business_unit,
                    funder=fact.funder,
                    earned_time=fact.earned_time,
                    expire_time=fact.expire_time if fact.HasField("expire_time") else None,
                    tier_window=fact.tier_window,
                )
            )
        case _:
            pass


def _metric(used: Usage) -> OpeningMetric:
    metric = used.name.removeprefix(METRIC)
    unit, money = used.scope, ""
    if metric == "spend":
        unit, _, money = used.scope.rpartition("/")
    return OpeningMetric(
        metric=metric,
        business_unit=unit,
        currency_code=money,
        window=used.period,
        amount=used.total,
    )
