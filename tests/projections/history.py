"""A small written history: facts put straight into the log, as the writer would have."""

import random
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import asyncpg

from ledger.core.events import AnyFact, columns_of, encode
from ledger.core.instant import SECOND, Instant, to_datetime, to_timestamp
from ledger.lanes import account_stream, lane_of
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    ArrearsIncurred,
    ArrearsRepaid,
    BurnReversed,
    ConvertedPointsIssued,
    DocumentClaimed,
    DocumentPosted,
    HoldCaptured,
    HoldReleased,
    LotExtended,
    LotReinstated,
    MemberEnrolled,
    PointsAdjusted,
    PointsBurned,
    PointsClawedBack,
    PointsConverted,
    PointsEarned,
    PointsExpired,
    PointsHeld,
    PointsPended,
    PointsReleased,
    PointsReturned,
    PointsSent,
    TierChanged,
)
from loyalty.v1.types_pb2 import Document, Draw, Pins

LANES: Final = 16
START: Final[Instant] = 1_735_689_600 * SECOND
UNITS: Final = ("market", "dining", "hotel", "web")

_INSERT: Final = """
INSERT INTO event (lane, pos, stream, version, kind, currency, points, business_unit, occurred_at,
  recorded_at, payload, leaf_hash)
SELECT lane, pos, stream, version, kind, currency, points, business_unit, at, at, payload,
  sha256(payload)
FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[], $5::smallint[], $6::text[],
  $7::bigint[], $8::text[], $9::timestamptz[], $10::bytea[]
) AS e (lane, pos, stream, version, kind, currency, points, business_unit, at, payload)"""
_HEADS: Final = """
UPDATE lane SET next_pos = h.head FROM unnest($1::smallint[], $2::bigint[]) AS h (lane, head)
WHERE lane.lane = h.lane"""

Row = tuple[int, int, str, int, int, str | None, int | None, str | None, object, bytes]


@dataclass
class History:
    """Events not yet written, and the positions and versions they get."""

    heads: Counter[int] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    rows: list[Row] = field(default_factory=list)

    def add(self, stream: str, *facts: AnyFact) -> None:
        """Put facts at the end of a stream."""
        for fact in facts:
            self.add_raw(stream, columns_of(fact), encode(fact))

    def add_raw(
        self, stream: str, columns: tuple[int, str | None, int | None, str | None], payload: bytes
    ) -> None:
        """Put an event at the end of a stream, whatever its bytes are."""
        lane = lane_of(stream, LANES)
        self.versions[stream] += 1
        at = to_datetime(START + self.heads[lane] * SECOND)
        place = (lane, self.heads[lane], stream, self.versions[stream])
        self.rows.append((*place, *columns, at, payload))
        self.heads[lane] += 1

    async def write(self, connection: asyncpg.Connection) -> None:
        """Append what was added since the last time, in one transaction."""
        rows, self.rows = self.rows, []
        columns = map(list, zip(*rows, strict=True))
        async with connection.transaction():
            await connection.execute(_INSERT, *columns)
            await connection.execute(_HEADS, list(self.heads), list(self.heads.values()))


def enrolled(account: str, unit: str = "market") -> MemberEnrolled:
    """A member joined."""
    return MemberEnrolled(member_id=account, business_unit=unit, channel="pos")


def posted(unit: str, document_id: str, version: int = 1) -> DocumentPosted:
    """A version of a document."""
    document = Document(source="till", document_id=document_id, version=version)
    return DocumentPosted(
        entry_id=f"{document_id}.{version}",
        business_unit=unit,
        document=document,
        pins=Pins(local_time="2026-05-01T12:00:00+02:00"),
    )


def earned(unit: str, points: int, lot: str = "lot") -> PointsEarned:
    """A spendable lot of `unit`."""
    return PointsEarned(
        lot_id=lot, currency="point", points=points, business_unit=unit, funder=unit
    )


def draws(*taken: tuple[str, int]) -> list[Draw]:
    """Draws of (issuer, points)."""
    return [
        Draw(lot_id="lot", points=points, issuer=issuer, funder=issuer) for issuer, points in taken
    ]


def burned(unit: str, *taken: tuple[str, int]) -> PointsBurned:
    """A burn at `unit` of lots of (issuer, points)."""
    points = sum(points for _, points in taken)
    return PointsBurned(
        entry_id="burn", currency="point", points=points, business_unit=unit, draws=draws(*taken)
    )


def tier_changed(tier: str, valid_until: Instant | None = None) -> TierChanged:
    """A member got `tier`."""
    until = None if valid_until is None else to_timestamp(valid_until)
    return TierChanged(to_tier=tier, valid_until_time=until)


def by_hand(account: str, unit: str, points: int) -> list[AnyFact]:
    """A proposal that was agreed to, one that was turned down, and an adjustment without any."""
    until = to_timestamp(START + 365 * 86_400 * SECOND)
    asked: dict[str, Any] = {"business_unit": unit, "currency": "point", "amount": points}
    made: dict[str, Any] = {**asked, "actor": "desk/a1", "reason": "goodwill"}
    return [
        AdjustmentProposed(entry_id=f"{account}.a", valid_until_time=until, **made),
        AdjustmentMade(
            entry_id=f"{account}.b", proposal_id=f"{account}.a", approver="crm/b2", act=1, **made
        ),
        PointsAdjusted(
            lot_id=f"{account}.b.1",
            currency="point",
            points=points,
            business_unit=unit,
            funder=unit,
        ),
        LotExtended(
            lot_id=f"{account}.b.1", business_unit=unit, expire_time=to_timestamp(START + SECOND)
        ),
        AdjustmentProposed(entry_id=f"{account}.c", valid_until_time=until, **made),
        AdjustmentRejected(
            entry_id=f"{account}.d", proposal_id=f"{account}.c", business_unit=unit, actor="crm/b2"
        ),
        AdjustmentMade(entry_id=f"{account}.e", **{**made, "amount": -1}),
    ]


def life_of(account: str, seed: int) -> list[AnyFact]:
    """A plausible life of an account with most kinds in it; the same for the same seed."""
    chance = random.Random(seed)
    unit, other = chance.sample(UNITS, 2)
    lot = chance.randrange(100, 1000)
    part = lot // 10
    moving: dict[str, Any] = {"currency": "point", "points": part}
    own, theirs = draws((unit, part)), {"business_unit": other, **moving}
    ours = {"business_unit": unit, **moving}
    life: list[AnyFact] = [
        enrolled(account, unit),
        posted(unit, account),
        earned(unit, lot),
        PointsPended(lot_id="pending", funder=unit, **ours),
        PointsReleased(lot_id="pending", **ours),
        burned(other, (unit, part)),
        PointsHeld(hold_id="hold", draws=own, **theirs),
        HoldCaptured(hold_id="hold", draws=own, final=True, **theirs),
        BurnReversed(draws=own, **theirs),
        PointsHeld(hold_id="second", draws=own, **theirs),
        HoldReleased(hold_id="second", draws=own, **theirs),
        posted(unit, account, 2),
        PointsClawedBack(draws=own, **ours),
        PointsExpired(lot_id="lot", funder=unit, **ours),
        LotReinstated(lot_id="lot", funder=unit, **ours),
        ArrearsIncurred(debt_id="debt", **theirs),
        earned(unit, part),
        ArrearsRepaid(debt_id="debt", draws=own, **theirs),
        earned(unit, part),
        PointsSent(entry_id=f"back-{account}", receiver_id="anna", draws=own, **theirs),
        PointsReturned(entry_id=f"back-{account}", receiver_id="anna", draws=own, **theirs),
        PointsConverted(draws=own, into="mile", received=part, **theirs),
        ConvertedPointsIssued(
            lot_id="mile", currency="mile", points=part, business_unit=other, funder=other
        ),
        *by_hand(account, unit, part),
        tier_changed("silver", START),
        tier_changed("gold"),
    ]
    return life[: chance.randrange(6, len(life) + 1)]


def lives(accounts: int, *, first: int = 0) -> History:
    """Interleaved lives of many accounts."""
    history = History()
    streams = {
        account_stream(account): life_of(account, seed)
        for seed in range(first, first + accounts)
        for account in [f"member-{sha256(str(seed).encode()).hexdigest()[:12]}"]
    }
    for step in range(max(map(len, streams.values()))):
        for stream, life in streams.items():
            if step < len(life):
                history.add(stream, life[step])
    for number in range(accounts):
        _add_unclaimed(history, f"U{first + number}", is_claimed=number % 2 > 0)
    return history


def _add_unclaimed(history: History, document_id: str, *, is_claimed: bool) -> None:
    """A document that is nobody's, or was."""
    unit, key = UNITS[0], f"{UNITS[0]}/till/{document_id}"
    history.add(f"document/{key}", posted(unit, document_id))
    if is_claimed:
        history.add(f"document/{key}", DocumentClaimed(business_unit=unit, document=key))
