"""The clerk's model of merges: an account leads to another, and nothing becomes anybody else's."""

from tests.machine.books import Lot, No
from tests.machine.ladder import Ladder, Span, anew, given_of, until_of, worth
from tests.machine.recalling import Recalling


class Joins(Recalling, Ladder):
    """Two members become one, and two again."""

    def is_merged(self, member: str) -> bool:
        """Whether a member is part of another."""
        return self.members[member]["into"] is not None

    def merge(self, source: str, into: str, now: int) -> None:
        """From now on the source's things are shown, spent and asked for at the target."""
        target = self.place(into)
        for member in (source, target):
            if member in self.erased:
                raise No("ACCOUNT_ERASED")
        if source == target:
            raise No("MERGE_INTO_ITSELF")
        if self.is_merged(source):
            raise No("ALREADY_MERGED")
        for member in (source, target):
            self.require_spending(member)
        if any(lot["transit"] for lot in self.lots_of(source)):
            raise No("POINTS_IN_TRANSIT")
        if self.has_set_aside(source) or self.has_set_aside(target):
            raise No("POINTS_RECALLED")
        if self.members[source]["pools"]:
            raise No("IN_POOLS")
        self._bring_tier(source, target, now)

    def _bring_tier(self, source: str, target: str, now: int) -> None:
        """The better tier is kept: of both, and of what both together have reached."""
        for member in (source, target):
            self.tick(member, now)
        parts = self.brought.setdefault(target, {target: list(self.spans(target))})
        had = [span for part in self.brought.get(source, {}).values() for span in part]
        brings = given_of([*self.spans(source), *had], now)
        parts[source] = [*brings, *self.spans(source)[-1:]]
        self.members[source]["into"] = target
        self.ask(target, now)
        for span in _best_of(parts[source], now):
            newest = self.spans(target)[-1:]
            if not newest or worth(span) > worth(newest[0]):
                self.spans(target).append(anew(span, now))

    def unmerge(self, source: str, now: int) -> None:
        """Everybody has again what is theirs, and what came of it."""
        self.require_somebody(source)
        into = self.members[source]["into"]
        if into is None:
            raise No("NOT_MERGED")
        if self.is_merged(into):
            raise No("UNMERGE_FIRST")
        leaving = self._with_those_merged_into(source)
        if any(lot["transit"] for each in leaving for lot in self.members[each]["lots"]):
            raise No("POINTS_IN_TRANSIT")
        if self.has_set_aside(into):
            raise No("POINTS_RECALLED")
        for hold in self.holds_of(into):
            lots: list[Lot] = [lot for lot, _ in hold["left"]]
            if len({lot["owner"] in leaving for lot in lots}) > 1:
                raise No("HOLD_OF_BOTH")
        self.tick(into, now)
        self.members[source]["into"] = None
        parts = self.brought[into]
        del parts[source]
        had = self.spans(into)[-1:]
        self.tiers[into] = list(parts[into])
        self._have_own_tier(into, had, now)
        if len(parts) == 1:
            del self.brought[into]
        self.tick(source, now)
        self.ask(source, now)

    def _have_own_tier(self, member: str, had: list[Span], now: int) -> None:
        """What the account had by itself, or what those have brought who stay; then the ladder."""
        parts = self.brought[member]
        brought = [
            span
            for part in parts.values()
            for span in (*given_of(part, now), *[each for each in part if not each["given"]][-1:])
        ]
        best = _best_of(brought, now) or parts[member][-1:]
        alike = [[_alike(span) for span in spans] for spans in (best, had, self.spans(member)[-1:])]
        if alike[0] != alike[1] or alike[0] != alike[2]:
            nothing = {"tier": "", "until": None, "year": 0, "given": False}
            self.spans(member).append(anew(best[0] if best else nothing, now))
        self.tick(member, now)
        self.ask(member, now)

    def _with_those_merged_into(self, source: str) -> set[str]:
        found, more = {source}, True
        while more:
            more = False
            for member, known in self.members.items():
                if known["into"] in found and member not in found:
                    found.add(member)
                    more = True
        return found


def _best_of(spans: list[Span], now: int) -> list[Span]:
    """The best tier that is valid, if one is."""
    valid = [span for span in spans if span["tier"] and until_of(span) > now]
    return [max(valid, key=worth)] if valid else []


def _alike(span: Span) -> tuple[str, bool, int]:
    return span["tier"], span["given"], until_of(span)
