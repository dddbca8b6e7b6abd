"""A small shell for tests: one member's story, told in sentences, with the laws checked throughout.

Every step advances the account, decides, and remembers the history a later step needs, as the
real shell does; after every step the laws must hold, whatever the test itself asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger.core.advance import advance
from ledger.core.commands import (
    ARREARS,
    NO_COUNTS,
    BurnFact,
    BurnPoints,
    CaptureHold,
    Command,
    Counts,
    EnrolMember,
    HoldFact,
    HoldPoints,
    Life,
    LotEnds,
    Occasion,
    PostDocument,
    RedemptionTerms,
    RefundTerms,
    ReleaseHold,
    ReverseEntry,
    TierLadder,
    TierVerdict,
)
from ledger.core.decide import Decision, decide
from ledger.core.decision import DATES_ALONE
from ledger.core.events import AccountFact, Fact, kind_of
from ledger.core.evolve import evolve
from ledger.core.instant import Instant, from_datetime, to_timestamp
from ledger.core.state import Account, Lot
from loyalty.v1.events_pb2 import (
    BurnReversed,
    DocumentPosted,
    HoldCaptured,
    HoldReleased,
    OpeningLotRecorded,
    PointsBurned,
    PointsHeld,
    ReversalReversed,
)
from loyalty.v1.types_pb2 import (
    DOCUMENT_KIND_SALE,
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_FINAL,
    DOCUMENT_STATUS_PENDING,
    Document,
    DocumentStatus,
    Draw,
    Origin,
    Pins,
)
from tests.core.laws import check_laws

FINAL = DOCUMENT_STATUS_FINAL
PENDING = DOCUMENT_STATUS_PENDING
CANCELLED = DOCUMENT_STATUS_CANCELLED
NO_LIMITS = RedemptionTerms(minimum=1, step=1, policy_digest="policy-1")


def utc(text: str) -> Instant:
    """Instant of "2025-04-01" (midnight) or "2025-04-01T12:30"."""
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


NEW_YEAR = utc("2025-01-01")


@dataclass(frozen=True, slots=True)
class Grant:
    """What the rules would answer."""

    granted: int
    rule: str = "base"
    currency: str = "P"
    funder: str = "A"
    pending_until: Instant | None = None
    expires_at: Instant | None = None
    window: str = ""
    campaign: str = ""
    cut_by: str = ""
    life: Life | None = None

    @property
    def wanted(self) -> int:
        return self.granted

    @property
    def qualifying(self) -> bool:
        return bool(self.window)


def no_ladder(account: Account, at: Instant, occasion: Occasion = "counted") -> TierVerdict | None:
    """A programme without tiers."""
    return None


@dataclass
class Story:
    """What happened to one member. `now` is both when a thing happens and when it is recorded."""

    account: Account = field(default_factory=lambda: Account("m-1"))
    now: Instant = NEW_YEAR
    ladder: TierLadder = no_ladder
    ends: LotEnds = DATES_ALONE
    facts: list[Fact] = field(default_factory=list)
    heads: dict[str, DocumentPosted] = field(default_factory=dict)
    entries: int = 0
    enrols: bool = True
    """A pool is nobody who enrols."""

    def __post_init__(self) -> None:
        if self.enrols:
            self.does(EnrolMember("A", "pos", self.now, ()))

    # --- given ------------------------------------------------------------------------------

    def at(self, text: str) -> "Story":
        """Let it be this instant."""
        self.now = utc(text)
        return self

    def has_lot(
        self,
        lot_id: str,
        points: int,
        *,
        expires: str | None = None,
        earned: str = "2025-01-01",
        issuer: str = "A",
        funder: str = "",
    ) -> "Story":
        """Bring in an opening lot, paid for by who issued it unless somebody else is named."""
        lot = OpeningLotRecorded(
            lot_id=lot_id,
            currency="P",
            points=points,
            business_unit=issuer,
            funder=funder or issuer,
            earned_time=to_timestamp(utc(earned)),
            expire_time=to_timestamp(utc(expires)) if expires else None,
            available_after=self.available + points,
        )
        return self.tells(lot)

    def tells(self, fact: AccountFact) -> "Story":
        """Record a fact that is given."""
        self._record([Fact(fact, self.now)], evolve(self.account, fact))
        return self

    # --- when -------------------------------------------------------------------------------

    def passes_time(self) -> list[Fact]:
        """Record what is due."""
        decision = advance(self.account, now=self.now, ladder=self.ladder, ends=self.ends)
        self._record(decision.facts, decision.account)
        return list(decision.facts)

    def does(self, command: Command) -> Decision:
        """Advance, then decide; the facts of both are recorded."""
        self.passes_time()
        decision = decide(command, self.account, now=self.now, ladder=self.ladder, ends=self.ends)
        self._record(decision.facts, decision.account)
        return decision

    def posts(
        self,
        document: str,
        version: int,
        *grants: Grant | int,
        status: DocumentStatus.ValueType = FINAL,
        unit: str = "A",
        occurred: str | None = None,
        counts: Counts = NO_COUNTS,
        refunds: RefundTerms = ARREARS,
    ) -> Decision:
        """Post a document's version; a number is what the base rule grants."""
        given = [
            grant if isinstance(grant, Grant) else Grant(grant, funder=unit) for grant in grants
        ]
        command = PostDocument(
            entry_id=self.new_entry(),
            business_unit=unit,
            document=Document(
                source="till",
                document_id=document,
                version=version,
                kind=DOCUMENT_KIND_SALE,
                status=status,
                currency_code="EUR",
            ),
            origin=Origin(business_unit=unit, occurred_time=to_timestamp(self.now)),
            business_date="",
            occurred_at=utc(occurred) if occurred else self.now,
            head=self.heads.get(document),
            pins=Pins(policy_digest="policy-1"),
            grants=given,
            counts=counts,
            refunds=refunds,
        )
        decision = self.does(command)
        for fact in decision.facts:
            if isinstance(fact.event, DocumentPosted):
                self.heads[document] = fact.event
        return decision

    def burns(
        self,
        points: int,
        *,
        unit: str = "A",
        terms: RedemptionTerms = NO_LIMITS,
        spender: str = "",
    ) -> Decision:
        """Spend points; a pool's are spent by one of its members."""
        entry_id = self.new_entry()
        return self.does(
            BurnPoints(entry_id, unit, "P", points, None, self.now, terms, spender_id=spender)
        )

    def holds(
        self,
        hold_id: str,
        points: int,
        *,
        until: str | Instant | None = None,
        unit: str = "A",
        terms: RedemptionTerms = NO_LIMITS,
        spender: str = "",
        expire: bool = False,
    ) -> Decision:
        """Set points aside; with `expire` they expire in their time all the same."""
        expires_at = utc(until) if isinstance(until, str) else until
        return self.does(
            HoldPoints(
                self.new_entry(),
                hold_id,
                unit,
                "P",
                points,
                expires_at,
                self.now,
                terms,
                spender_id=spender,
                points_expire=expire,
            )
        )

    def captures(
        self, hold_id: str, points: int, *, final: bool = False, unit: str = "A"
    ) -> Decision:
        """Spend held points."""
        self.passes_time()
        history = self.hold_history(hold_id, unit)
        return self.does(
            CaptureHold(self.new_entry(), hold_id, unit, points, final, self.now, history)
        )

    def releases(self, hold_id: str, *, unit: str = "A") -> Decision:
        """Give held points back."""
        self.passes_time()
        history = self.hold_history(hold_id, unit)
        return self.does(ReleaseHold(self.new_entry(), hold_id, unit, self.now, history))

    def reverses(
        self, entry: Decision | str, points: int = 0, *, grace: str | None = None, unit: str = "A"
    ) -> Decision:
        """Take back a burn, a capture or a reversal."""
        target = entry if isinstance(entry, str) else entry_of(entry)
        return self.does(
            ReverseEntry(
                self.new_entry(),
                target,
                unit,
                points,
                utc(grace) if grace else None,
                self.now,
                self.burn_history(target),
            )
        )

    # --- then -------------------------------------------------------------------------------

    @property
    def available(self) -> int:
        """Available P."""
        return self.account.balance("P").available

    @property
    def pending(self) -> int:
        """Pending P."""
        return self.account.balance("P").pending

    @property
    def held(self) -> int:
        """Held P."""
        return self.account.balance("P").held

    @property
    def arrears(self) -> int:
        """P that are owed."""
        return self.account.balance("P").arrears

    @property
    def lots_left(self) -> dict[str, int]:
        """Points left per lot, in draw order."""
        return {lot.lot_id: lot.left for lot in self.account.lots}

    def lot(self, lot_id: str) -> Lot:
        """An open lot."""
        return next(lot for lot in self.account.lots if lot.lot_id == lot_id)

    def total(self, kind: str) -> int:
        """Sum of points over all facts of a kind."""
        return sum(points for name, points in moved(self.facts) if name == kind)

    # --- the history a command needs ----------------------------------------------------------

    def hold_history(self, hold_id: str, unit: str) -> tuple[HoldFact, ...]:
        """All facts of a hold."""
        return tuple(
            fact.event
            for fact in self.facts
            if isinstance(fact.event, PointsHeld | HoldCaptured | HoldReleased)
            and fact.event.hold_id == hold_id
            and fact.event.business_unit == unit
        )

    def burn_history(self, target: str) -> tuple[BurnFact, ...]:
        """All facts of the burn that an entry belongs to."""
        acts = [
            fact.event
            for fact in self.facts
            if isinstance(fact.event, PointsBurned | HoldCaptured | BurnReversed | ReversalReversed)
        ]
        burn = next((_burn_of(act) for act in acts if act.entry_id == target), None)
        return tuple(act for act in acts if _burn_of(act) == burn)

    def new_entry(self) -> str:
        """Id of the next entry."""
        self.entries += 1
        return f"e{self.entries}"

    def _record(self, facts: Sequence[Fact], account: Account) -> None:
        self.facts.extend(facts)
        self.account = account
        check_laws(account_facts(self.facts), account)


def _burn_of(act: BurnFact) -> str:
    return act.burn_entry_id if isinstance(act, BurnReversed | ReversalReversed) else act.entry_id


def account_facts(facts: Sequence[Fact]) -> list[AccountFact]:
    """What a fold takes."""
    return [fact.event for fact in facts if isinstance(fact.event, AccountFact)]


def entry_of(decision: Decision) -> str:
    """Entry id of a decision's first fact that has one."""
    return next(
        str(entry_id)
        for fact in decision.facts
        if (entry_id := getattr(fact.event, "entry_id", ""))
    )


def moved(facts: Sequence[Fact]) -> list[tuple[str, int]]:
    """(kind, points) of the facts that move points."""
    return [
        (kind_of(fact.event), points)
        for fact in facts
        if isinstance(points := getattr(fact.event, "points", None), int)
    ]


def drawn(decision: Decision, kind: str) -> dict[str, int]:
    """Points per lot that the facts of a kind drew, in order."""
    draws: dict[str, int] = {}
    for fact in decision.facts:
        if kind_of(fact.event) == kind:
            taken: Sequence[Draw] = getattr(fact.event, "draws", ())
            for draw in taken:
                draws[draw.lot_id] = draws.get(draw.lot_id, 0) + draw.points
    return draws
