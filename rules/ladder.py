"""The tier ladder, compiled: asked after every purchase, and whenever a tier's time is over."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from rules.facts import Instant
from rules.model import Tiers
from rules.needs import (
    Counts,
    Window,
    calendar_windows,
    membership_windows,
    rolling_window,
    window_of,
)
from rules.spans import before, for_ever
from rules.standing import Basis, Span, Standing
from rules.steps import Step, step_of
from rules.tier_answers import Cause, Covered, Occasion, TierAnswer
from rules.validity import Validity
from rules.zones import DAY, LocalZone


class _Found(NamedTuple):
    """The tier that what was counted gives."""

    rank: int
    valid_until: Instant | None
    window: str
    basis: Basis = "earned"


class _Question(NamedTuple):
    """What is looked at for one answer: windows as of a day, the running one first."""

    at: Instant
    day: int
    counts: Counts
    windows: tuple[Window, ...]


_NOTHING_KEPT = -1
_FOR_EVER = 2**62


class Ladder:
    """Tiers by rank; days and years are those of the programme's zone."""

    def __init__(self, tiers: Tiers, zone: LocalZone) -> None:
        """Compile the tiers of a checked policy."""
        self.tiers = tiers
        self.steps = tuple(step_of(tier, rank) for rank, tier in enumerate(tiers.ladder))
        self.ranks = {step.tier: step.rank for step in self.steps}
        self.asks = frozenset(
            threshold.counted.name
            for step in self.steps
            for choices in (step.reach, step.keep, step.lifetime)
            for needs in choices
            for threshold in needs
        )
        """What any need counts: "qualifying_points", "nights", "counter/<id>" and so on."""
        self._zone = zone
        self._highest_first = tuple(reversed(self.steps))
        self.validity = Validity(tiers, zone)
        self._waits = tiers.upgrade == "at_period_end"

    def answer(self, standing: Standing, at: Instant, occasion: Occasion = "counted") -> TierAnswer:
        """Give the tier that a member holds from an instant on.

        When something counted was taken back, the tier may be lost before its time: it is asked as
        if that had never been.
        """
        current = standing.spans[-1] if standing.spans else None
        rank = None if current is None else self.ranks.get(current.tier)
        if current is None or rank is None:
            question = self._question(standing, at, at)
            found = self._lowest() if self._waits else self._best(question, _NOTHING_KEPT)
            found = self._or_granted(question, standing, found)
            return self._answer(question, standing, found, "reached")
        if current.valid_until is not None and current.valid_until <= at:
            question = self._question(standing, at, at - 1)
            if current.basis == "granted":
                return self._grant_ended(question, standing, rank)
            return self._ended(question, standing, current, rank)
        if current.review_at is not None and current.review_at <= at:
            return self._reviewed(self._question(standing, at, at - 1), standing, current, rank)
        question = self._question(standing, at, at)
        if occasion == "grant_ended" and current.basis == "granted":
            return self._grant_ended(question, standing, rank, by_staff=True)
        if occasion == "refunded" and rank > 0:
            if not self._still_given(question, standing):
                return self._refunded(question, standing, rank)
            if (lost := self._lost_beneath(question, standing)) is not None:
                return lost
        return self._in_force(question, standing, current, rank)

    def windows(self, standing: Standing, day: int) -> tuple[Window, ...]:
        """Give the window that runs on a local day, and the one before it where there is one."""
        if self.tiers.window == "calendar_year":
            return calendar_windows(day)
        if self.tiers.window == "rolling_months":
            return (rolling_window(day, self.tiers.window_months),)
        since = 0 if standing.member_since is None else standing.member_since
        return membership_windows(day, self.day(since))

    def day(self, at: Instant) -> int:
        """Give the local day of an instant."""
        return self._zone.wall(at) // DAY

    def window_of(self, local_day: str, metric: str = "qualifying_points") -> str:
        """Give the window in which something of a local day is counted, as `needs.window_of`."""
        return window_of(self.tiers, local_day, metric)

    def _question(self, standing: Standing, at: Instant, looked_at: Instant) -> _Question:
        day = self.day(looked_at)
        return _Question(at, day, Counts(standing), self.windows(standing, day))

    def _answer(
        self, question: _Question, standing: Standing, found: _Found, cause: Cause
    ) -> TierAnswer:
        if found.basis == "lifetime" and cause != "grant_ended":
            cause = "lifetime"
        tier, review_at = self.steps[found.rank].tier, None
        if self._waits:
            review_at = self._next_review(question, standing)
        return TierAnswer(tier, found.valid_until, cause, found.basis, found.window, review_at)

    def _next_review(self, question: _Question, standing: Standing) -> Instant:
        """Give the end of the window that runs at the instant: of rolling months, of the month."""
        return self.validity.window_ends(self.windows(standing, self.day(question.at))[0])

    # --- while a tier is valid --------------------------------------------------------------

    def _in_force(
        self, question: _Question, standing: Standing, current: Span, rank: int
    ) -> TierAnswer:
        """Stay, unless a higher tier was reached, the same for ever, or the same on grace."""
        if not self._waits or current.basis == "grace":
            counts, running = question.counts, question.windows[0]
            for step in self._highest_first:
                if step.rank < rank:
                    break
                if step.rank == rank and current.basis in ("granted", "lifetime"):
                    break
                if step.lifetime and counts.met(step.lifetime, running):
                    found = _Found(step.rank, None, running.label, "lifetime")
                    return self._answer(question, standing, found, "lifetime")
                if step.rank > rank and not step.invite_only and counts.met(step.reach, running):
                    return self._answer(
                        question, standing, self._given(question, step, running), "reached"
                    )
            if current.basis == "grace":
                found = self._best(question, rank, after=current.window, keep_running=True)
                if found.rank == rank:
                    return self._answer(question, standing, found, "reached")
        return TierAnswer(
            current.tier,
            current.valid_until,
            "",
            _basis(current),
            current.window,
            current.review_at,
        )

    def _reviewed(
        self, question: _Question, standing: Standing, current: Span, rank: int
    ) -> TierAnswer:
        """Raise to what was reached in the window that has just ended, else stay."""
        found = self._best(question, _NOTHING_KEPT, after="~")
        if found.rank <= rank:
            found = _Found(rank, current.valid_until, current.window, _basis(current))
        return self._answer(question, standing, found, "period_ended")

    # --- when its time is over --------------------------------------------------------------

    def _ended(
        self, question: _Question, standing: Standing, current: Span, rank: int
    ) -> TierAnswer:
        found = self._best(question, rank, after=current.window, keep_running=True)
        found = max(found, *self._for_ever(standing), key=_rank)
        if found.rank < rank and self.tiers.grace_days and current.basis != "grace":
            until = self.validity.after_days(question.at, self.tiers.grace_days)
            found = _Found(rank, until, current.window, "grace")
        elif found.rank < rank and self.tiers.downgrade == "one_step":
            found = max(found, self._one_step_down(question, rank), key=_rank)
        found = self._or_granted(question, standing, found)
        return self._answer(question, standing, found, "period_ended")

    def _grant_ended(
        self, question: _Question, standing: Standing, rank: int, *, by_staff: bool = False
    ) -> TierAnswer:
        """Fall to the tier that was held beneath, or to the one earned meanwhile.

        Staff end all that they gave; one grant's own end leaves the others.
        """
        beneath = self._beneath(question, standing)
        kept = rank if self.steps[rank].invite_only else beneath.rank
        found = self._best(question, kept, keep_running=True)
        found = max(beneath, found, *self._for_ever(standing), key=_rank)
        if not by_staff:
            found = self._or_granted(question, standing, found)
        return self._answer(question, standing, found, "grant_ended")

    def _one_step_down(self, question: _Question, rank: int) -> _Found:
        lower = next(step for step in self.steps[rank - 1 :: -1] if not step.invite_only)
        return self._given(question, lower, question.windows[0])

    def _beneath(self, question: _Question, standing: Standing) -> _Found:
        """Give the tier before the one in force, as long as it is valid; else the lowest."""
        return self._valid(question, before(standing, self.ranks))

    def _valid(self, question: _Question, before: Standing) -> _Found:
        span = before.spans[-1] if before.spans else None
        if span is None or (span.valid_until is not None and span.valid_until <= question.at):
            return self._lowest()
        rank = self.ranks.get(span.tier, 0)
        return _Found(rank, span.valid_until if rank else None, span.window, _basis(span))

    def _or_granted(self, question: _Question, standing: Standing, found: _Found) -> _Found:
        """Give what staff gave, if that is better: a higher tier covers a grant, and ends in it."""
        for span in (*standing.spans, *standing.brought):
            if span.basis == "granted" and span.tier in self.ranks:
                granted = _Found(self.ranks[span.tier], span.valid_until, span.window, "granted")
                if _end(granted) > question.at and _worth(granted) > _worth(found):
                    found = granted
        return found

    def _for_ever(self, standing: Standing) -> Iterator[_Found]:
        yield self._lowest()
        for span in for_ever(standing.spans, self.ranks):
            yield _Found(self.ranks[span.tier], None, span.window, "lifetime")

    # --- when something was taken back ------------------------------------------------------

    def _still_given(self, question: _Question, standing: Standing) -> bool:
        """Say whether the tier would have been given without what was taken back.

        A window that is no longer at hand cannot be asked: then it would. So would it where the
        question reaches back beyond what a member's account keeps by its time. What was reached in
        the running window asks the reach-threshold, what was carried on the keep-threshold too.
        """
        current = standing.spans[-1]
        if current.basis in ("granted", "grace"):
            return True
        step, counts = self.steps[self.ranks[current.tier]], question.counts
        running = question.windows[0]
        if current.basis == "lifetime":
            return counts.met(step.lifetime, running)
        if counts.met(step.reach, running):
            return True
        if self.tiers.window == "rolling_months":
            return self._gave(question, step, current)
        for window in question.windows:
            if window.label == current.window:
                carried = window is not running or self._follows_its_like(standing.spans)
                return self._held_in(question, step, window, carried=carried)
        return True

    def _follows_its_like(self, spans: Sequence[Span]) -> bool:
        """Say whether the newest tier goes on from one as high: it was kept, and not reached."""
        current, before = spans[-1], spans[-2] if len(spans) > 1 else None
        if before is None or before.valid_until != current.from_at:
            return False
        return self.ranks.get(before.tier, _NOTHING_KEPT) >= self.ranks[current.tier]

    def _gave(self, question: _Question, step: Step, current: Span) -> bool:
        """Ask rolling months as of the day that gave the tier, if it is among them still."""
        running = question.windows[0]
        if not running.first <= current.window <= running.last:
            return True
        day = self.day(current.from_at)
        carried = self._zone.day_text(day) != current.window
        window = rolling_window(day - carried, self.tiers.window_months)
        return self._held_in(question, step, window, carried=carried)

    def _held_in(self, question: _Question, step: Step, window: Window, *, carried: bool) -> bool:
        counts = question.counts
        if counts.met(step.reach, window) or (carried and counts.met(step.keep, window)):
            return True
        return counts.forgot((*step.reach, *step.keep), window)

    def _refunded(self, question: _Question, standing: Standing, rank: int) -> TierAnswer:
        fallen = self._fallen(question, standing, rank)
        found = self._or_granted(question, standing, fallen)
        answer = self._answer(question, standing, found, "refunded")
        return answer._replace(beneath=self._shown(fallen) if found is not fallen else None)

    def _fallen(self, question: _Question, standing: Standing, rank: int) -> _Found:
        """Fall to what is reached now, or to the tier beneath that nothing taken back had given."""
        found = self._best(question, rank, below=rank)
        earlier = before(standing, self.ranks)
        while earlier.spans and not self._stays(question, earlier):
            earlier = before(earlier, self.ranks)
        beneath = self._valid(question, earlier)
        return beneath if found.rank <= beneath.rank < rank else found

    def _lost_beneath(self, question: _Question, standing: Standing) -> TierAnswer | None:
        """Keep what staff gave; beneath it stands another tier than before, or nothing is lost."""
        if standing.spans[-1].basis != "granted":
            return None
        earlier, held = before(standing, self.ranks), self._beneath(question, standing)
        if held.rank == 0 or self._still_given(question, earlier):
            return None
        current = standing.spans[-1]
        return TierAnswer(
            current.tier,
            current.valid_until,
            "refunded",
            "granted",
            current.window,
            current.review_at,
            self._shown(self._fallen(question, earlier, held.rank)),
        )

    def _shown(self, found: _Found) -> Covered:
        tier = self.steps[found.rank].tier
        return Covered(tier, found.valid_until, found.basis, found.window)

    def _stays(self, question: _Question, standing: Standing) -> bool:
        rank = self.ranks.get(standing.spans[-1].tier, 0)
        return rank == 0 or self._still_given(question, standing)

    # --- what was counted gives -------------------------------------------------------------

    def _best(
        self,
        question: _Question,
        held: int,
        *,
        after: str = "",
        below: int | None = None,
        keep_running: bool = False,
    ) -> _Found:
        """Give the highest tier (under rank `below`) that is reached, or kept from rank `held` on.

        A window before the running one counts only if it is later than `after`, the one that gave
        the tier held: nothing counts twice.
        """
        counts = question.counts
        running, *earlier = question.windows
        past = [window for window in earlier if window.label > after]
        for step in self._highest_first[:-1]:
            if below is not None and step.rank >= below:
                continue
            if step.lifetime and counts.met(step.lifetime, running):
                return _Found(step.rank, None, running.label, "lifetime")
            for window in (running, *past):
                keeps = held >= step.rank and (keep_running or window is not running)
                reached = not step.invite_only and counts.met(step.reach, window)
                if reached or (keeps and counts.met(step.keep, window)):
                    found = self._given(question, step, window)
                    if found.valid_until is None or found.valid_until > question.at:
                        return found
        return self._lowest()

    def _given(self, question: _Question, step: Step, window: Window) -> _Found:
        if step.rank == 0:
            return self._lowest()
        until = self.validity.until(question.day, window, past=window is not question.windows[0])
        return _Found(step.rank, until, window.label)

    def _lowest(self) -> _Found:
        return _Found(0, None, "")


def _rank(found: _Found) -> int:
    return found.rank


def _worth(found: _Found) -> tuple[int, Instant]:
    return found.rank, _end(found)


def _end(found: _Found) -> Instant:
    return _FOR_EVER if found.valid_until is None else found.valid_until


def _basis(span: Span) -> Basis:
    return cast(Basis, span.basis)
