"""What an account is, folded from its facts. Frozen: nobody can change it, all may keep it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from ledger.core.care import NO_CARE, Care
from ledger.core.counters import CounterPeriods, Streak
from ledger.core.instant import Instant
from ledger.core.membership import OPEN, Membership, UnderWay
from ledger.core.pooling import NO_POOLS, Pooling
from ledger.core.usage import Usage

FAR_FUTURE: Final = 2**62
"""Sorts after every expiry: a lot that never expires is drawn last."""
LIVING: Final = FAR_FUTURE + 1
"""Sorts after all of them: lots whose end is derived stand last, and whoever draws finds them."""


class LotLife(NamedTuple):
    """How long a lot lives when a date alone does not say it; as `LotLife` of the contract."""

    expiry: str
    inactive_months: int = 0
    extended_by: tuple[str, ...] = ()
    hard_expires_at: Instant | None = None
    unless_tiers: tuple[str, ...] = ()
    unless_segments: tuple[str, ...] = ()
    restarts: bool = False
    from_release: bool = False
    policy_digest: str = ""
    begun_at: Instant | None = None
    """It counts from then at the earliest; None: from when they were earned, or released."""

    @property
    def is_derived(self) -> bool:
        """Whether it still matters once the lot has a date."""
        return bool(self.inactive_months or self.unless_tiers or self.unless_segments)


class Lot(NamedTuple):
    """Points earned together, so that they expire together. An empty one leaves the account."""

    lot_id: str
    currency: str
    issuer: str
    funder: str
    document: str
    tier_window: str
    earned_at: Instant
    available_at: Instant | None
    """When a pending lot is released by time; None: at once, or when its document is final."""
    expires_at: Instant | None
    seq: int
    """Version of the account at which the lot was recorded: it breaks ties of the draw order."""
    available: int = 0
    pending: int = 0
    held: int = 0
    grace: bool = False
    """The points live on grace after a reversal; they get no further one."""
    life: LotLife | None = None
    """Set when more than `expires_at` decides: the end is derived whenever it is asked for."""
    in_transit: int = 0
    """Sent to another account, which does not have them yet."""
    contributor: str = ""
    """Account that contributed the points to the pool that this is."""
    owner: str = ""
    """Account to which the points belong, where that was merged into this one."""
    campaign: str = ""
    """Whose points wait, or waited, in it; empty without one, and for points that never waited."""

    def order(self) -> tuple[int, Instant, int, str]:
        """Draw order: soonest expiry, nulls last; earliest purchase; earliest recorded.

        Lots whose end is derived come after all others, in the order they were earned.
        """
        ends = self.expires_at if self.life is None else LIVING
        return (FAR_FUTURE if ends is None else ends, self.earned_at, self.seq, self.lot_id)

    @property
    def left(self) -> int:
        """Points still in the lot, in whatever state."""
        return self.available + self.pending + self.held + self.in_transit


class Drawn(NamedTuple):
    """Points taken from a lot, with what is needed to give them back to it after it closed."""

    lot_id: str
    points: int
    issuer: str
    funder: str
    earned_at: Instant
    expires_at: Instant | None
    grace: bool = False
    life: LotLife | None = None
    document: str = ""
    seq: int = 0
    """Version of the account at which the lot was recorded."""
    contributor: str = ""
    owner: str = ""
    """Account to which the lot belongs, where that was merged into this one."""


class Counted(NamedTuple):
    """A limit that something is counted under, as `Usage` of the contract says it."""

    name: str
    scope: str
    period: str
    kept: bool
    """What takes the deed back gives nothing of it back."""


class Hold(NamedTuple):
    """Points set aside. `draws` is what is left, in the order that a capture takes it."""

    hold_id: str
    business_unit: str
    currency: str
    draws: tuple[Drawn, ...]
    expires_at: Instant | None
    entry_id: str
    acts: int = 0
    """How many facts have touched it since it was placed."""
    limits: tuple[Counted, ...] = ()
    """The limits that its points are counted under."""
    owner: str = ""
    """Account that placed it, where that was merged into this one."""
    recalled: bool = False
    """A recall holds them: nobody else can end it. `hold_id` is the recall's."""
    pending: bool = False
    """Recalled before they could be spent: they come back as such."""
    points_expire: bool = False
    """Its points expire when the time of their lots has passed, though they are held."""
    captured: bool = False
    """Something of it was spent."""

    @property
    def points(self) -> int:
        """Points still held."""
        return sum(draw.points for draw in self.draws)


class Debt(NamedTuple):
    """Points owed after a clawback that found too little."""

    debt_id: str
    business_unit: str
    currency: str
    points: int
    document: str
    owner: str = ""
    """Account whose document caused it, where that was merged into this one."""


class Balance(NamedTuple):
    """Points of one currency, by state."""

    available: int = 0
    pending: int = 0
    held: int = 0
    arrears: int = 0
    in_transit: int = 0


NOTHING: Final = Balance()


class TierSpan(NamedTuple):
    """A tier from an instant on, until it has to be earned again."""

    tier: str
    from_at: Instant
    valid_until: Instant | None
    review_at: Instant | None = None
    """When the ladder is asked before that, where it raises only at the end of a window."""
    basis: str = "earned"
    """By what right: earned, granted, grace or lifetime."""
    window: str = ""
    """The window that gave it."""

    @property
    def next_question_at(self) -> Instant | None:
        """When time asks the ladder; None: never."""
        if self.review_at is None or self.valid_until is None:
            return self.valid_until if self.review_at is None else self.review_at
        return min(self.review_at, self.valid_until)


def tier_at(tiers: Sequence[TierSpan], at: Instant) -> str:
    """Tier among spans, oldest first, that was valid at an instant; empty for none.

    One that was learned of late may have been over before those that were recorded earlier began.
    """
    for span in reversed(tiers):
        if span.from_at <= at and (span.valid_until is None or at < span.valid_until):
            return span.tier
    return ""


class Benefit(NamedTuple):
    """What a document grants besides points."""

    document: str
    rule: str
    benefit: str
    quantity: int
    expires_at: Instant
    campaign: str


frozen_mapping: Final = MappingProxyType
"""Makes a mapping that its readers cannot change; its maker must not keep the dict."""
EMPTY: Final[Mapping[str, Balance]] = MappingProxyType({})
NO_QUALIFYING: Final[Mapping[tuple[str, str], int]] = MappingProxyType({})
NO_USAGE: Final[Usage] = MappingProxyType({})
NO_COUNTERS: Final[CounterPeriods] = MappingProxyType({})
NO_STREAKS: Final[Mapping[str, Streak]] = MappingProxyType({})
NO_ACTIVITY: Final[Mapping[str, Instant]] = MappingProxyType({})


class Part(NamedTuple):
    """What the documents of one of several merged accounts count for."""

    via: str
    """The account with which it came, being merged into that one before; empty: none."""
    tiers: tuple[TierSpan, ...] = ()
    """Of the account that the others were merged into: the tiers it had before."""
    usage: Usage = NO_USAGE
    numbers: CounterPeriods = NO_COUNTERS
    streaks: Mapping[str, Streak] = NO_STREAKS
    benefits: tuple[Benefit, ...] = ()
    last_activity: Mapping[str, Instant] = NO_ACTIVITY
    qualifying: Mapping[tuple[str, str], int] = NO_QUALIFYING


NO_PARTS: Final[Mapping[str, Part]] = MappingProxyType({})
OWN: Final = ""
"""The account's own part, and the owner of what is its own."""


class Account(NamedTuple):
    """A member's points. Closed lots, resolved holds and documents have left it."""

    account_id: str
    version: int = 0
    """Version of the last fact folded in; 0: nothing is known of this account."""
    business_unit: str = ""
    enrolled_at: Instant | None = None
    identities: tuple[tuple[str, str], ...] = ()
    """(id of the link, scheme) of each, in the order in which they were linked."""
    lots: tuple[Lot, ...] = ()
    """Open lots in draw order."""
    holds: tuple[Hold, ...] = ()
    """Open holds in the order they were placed."""
    debts: tuple[Debt, ...] = ()
    """Open debts, oldest first."""
    balances: Mapping[str, Balance] = EMPTY
    """By point currency, in order of first use."""
    qualifying: Mapping[tuple[str, str], int] = NO_QUALIFYING
    """Tier-qualifying points by (currency, window)."""
    tiers: tuple[TierSpan, ...] = ()
    """The last few tiers, oldest first; the last one is in force."""
    usage: Usage = NO_USAGE
    """What its documents use under caps of its own, and count for towards tiers."""
    numbers: CounterPeriods = NO_COUNTERS
    """Which numbers its documents have in counters."""
    streaks: Mapping[str, Streak] = NO_STREAKS
    """By counter."""
    benefits: tuple[Benefit, ...] = ()
    """The last that documents granted, in the order they end."""
    last_activity: Mapping[str, Instant] = NO_ACTIVITY
    """By what was done ("earn", "burn", an activity's name), when it last was."""
    segments_since: Instant | None = None
    """When units last told of the member's segments."""
    care: Care = NO_CARE
    """What is remembered of the member as a person."""
    membership: Membership = OPEN
    """How far the member takes part."""
    merging: UnderWay | None = None
    """The merge, or its undoing, that is under way."""
    parts: Mapping[str, Part] = NO_PARTS
    """By account: its own, and those of accounts merged into it; empty unless there are some."""
    pooling: Pooling = NO_POOLS
    """The pool that it is, or those that its member is in."""

    @property
    def part_ids(self) -> list[str]:
        """Ids of the accounts that are part of it, also by several steps."""
        return sorted(self.parts.keys() - {OWN})

    @property
    def identity_schemes(self) -> tuple[str, ...]:
        """Schemes by which the member is known, in order of first linking."""
        return tuple(dict.fromkeys(scheme for _, scheme in self.identities))

    @property
    def tier(self) -> str:
        """Tier in force after the last fact; empty for none."""
        return self.tiers[-1].tier if self.tiers else ""

    def tier_at(self, at: Instant) -> str:
        """Tier that was valid at an instant, as known now; empty for none."""
        return tier_at(self.tiers, at)

    def balance(self, currency: str) -> Balance:
        """Points of one currency; zeros when it was never used."""
        return self.balances.get(currency, NOTHING)
