"""The clerk's model of merges: an account leads to another, and nothing becomes anybody else's."""

from tests.machine.books import Lot, No
from tests.machine.recalling import Recalling


class Joins(Recalling):
    """Two members become one, and two again."""

    def is_merged(self, member: str) -> bool:
        """Whether a member is part of another."""
        return self.members[member]["into"] is not None

    def merge(self, source: str, into: str) -> None:
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
        self.members[source]["into"] = target

    def unmerge(self, source: str) -> None:
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
        self.members[source]["into"] = None

    def _with_those_merged_into(self, source: str) -> set[str]:
        found, more = {source}, True
        while more:
            more = False
            for member, known in self.members.items():
                if known["into"] in found and member not in found:
                    found.add(member)
                    more = True
        return found
