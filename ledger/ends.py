"""When points end whose life more than a date decides: the rules' answer, in words of the core."""

from collections.abc import Callable
from typing import Final

import rules
from ledger.core.commands import LotEnds
from ledger.core.draws import spending_rank
from ledger.core.instant import Instant
from ledger.core.state import Account, Drawn, Lot, LotLife

NO_SEGMENTS: Final[frozenset[str]] = frozenset()


class Ends(LotEnds):
    """Asks the policy that points were earned under."""

    def __init__(
        self,
        pinned: Callable[[str], rules.Policy],
        segments_of: Callable[[str], frozenset[str]] = lambda _: NO_SEGMENTS,
    ) -> None:
        """`pinned` finds a policy by its digest, `segments_of` a member's segments of now."""
        self._pinned = pinned
        self._segments_of = segments_of

    def end(self, lot: Lot | Drawn, account: Account, /) -> Instant | None:
        """When the points are gone, as it is known now; None: never, or not yet decided."""
        life = lot.life
        if life is None:
            return lot.expires_at
        return rules.life_ends(
            self._pinned(life.policy_digest),
            _rules_life(life),
            earned_at=lot.earned_at,
            expires_at=lot.expires_at,
            living=self._living(life, account),
        )

    def fixed(self, lot: Lot, account: Account, at: Instant, /) -> Instant | None:
        """The date with which the points leave their member; None: they never expire."""
        life = lot.life
        if life is None:
            return lot.expires_at
        return rules.fixed_end(
            self._pinned(life.policy_digest),
            _rules_life(life),
            earned_at=lot.earned_at,
            expires_at=lot.expires_at,
            living=self._living(life, account),
            at=at,
        )

    def _living(self, life: LotLife, account: Account) -> rules.Living:
        return rules.Living(
            account.last_activity,
            [(span.tier, span.from_at) for span in account.tiers] if life.unless_tiers else (),
            self._segments_of(account.account_id) if life.unless_segments else NO_SEGMENTS,
            account.segments_since,
        )

    def released(self, life: LotLife, at: Instant, /) -> Instant | None:
        """The date of points whose life counts from their release."""
        return rules.released_end(self._pinned(life.policy_digest), _rules_life(life), at)


def with_ends(account: Account, ends: LotEnds) -> Account:
    """The account to show to people: every lot with its end, in the order they are drawn."""
    if not account.lots or account.lots[-1].life is None:
        return account
    shown = [
        lot if lot.life is None else lot._replace(expires_at=ends.end(lot, account), life=None)
        for lot in account.lots
    ]
    return account._replace(lots=tuple(sorted(shown, key=Lot.order)))


def in_spending_order(account: Account, policy: rules.Policy) -> Account:
    """The account to show to people: its lots in the order in which a burn would draw them now."""
    currencies = policy.terms.currencies
    firsts = {name: terms.draw_first for name, terms in currencies.items() if terms.draw_first}
    if not firsts:
        return account

    def rank(lot: Lot) -> int:
        return spending_rank(lot.funder, firsts.get(lot.currency, ()))

    return account._replace(lots=tuple(sorted(account.lots, key=rank)))


def _rules_life(life: LotLife) -> rules.Life:
    return rules.Life(
        expiry=life.expiry,
        inactive_months=life.inactive_months,
        extended_by=life.extended_by,
        hard_expires_at=life.hard_expires_at,
        unless_tiers=life.unless_tiers,
        unless_segments=life.unless_segments,
        restarts=life.restarts,
        from_release=life.from_release,
        begun_at=life.begun_at,
    )
