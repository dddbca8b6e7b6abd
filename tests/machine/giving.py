"""The clerk's model of what documents give: points by rule, as far as there is room for them."""

from typing import Any

from tests.machine.books import DAY
from tests.machine.ladder import FIRST_DAY, Ladder, date_of

Grants = dict[str, dict[str, Any]]
"""Points wanted and granted by rule, and the period in which they are counted."""
UNLIMITED = 2**62
CAMPAIGNS = {"bonus": "spring"}
HOME = 600
"""Points that a household gets at most in a month."""


class Giving(Ladder):
    """A member has room for so many points of the base a week, everybody for a month's bonuses.

    Who has silver gets half as much again as the base, and with gold twice as much, of whatever
    tier they were when the document was first final.
    """

    def gives(self, document: str, content: dict[str, Any], day: int) -> Grants:
        """What a document gives, counted on a day, by rule in the order in which it is given."""
        home = self._home(document, day)
        self.documents[document]["home"] = home
        if content["status"] == "cancelled":
            return {}
        wanted = _wants(content["food"], self.documents[document]["tier"])
        wanted["brought"] = content.get("reward", 0)
        return {
            rule: self._grant(document, rule, points, day, home)
            for rule, points in wanted.items()
            if points
        }

    def granted(self, document: str) -> list[tuple[str, int, int]]:
        """(rule, wanted, granted) of the newest version, as it is answered: nothing is no grant."""
        gave: Grants = self.documents[document]["gave"]
        return [
            (rule, grant["wanted"], grant["granted"])
            for rule, grant in gave.items()
            if grant["granted"]
        ]

    def _home(self, document: str, day: int) -> dict[str, Any]:
        """The purse of a month of all in one home, or of who has none: what a document may take."""
        month, owner = f"{date_of(day * DAY):%Y-%m}", self.owner(document)
        assert owner is not None, "who is nobody gets nothing"
        whose = self.household(owner), month
        family = self.family(owner)
        others = sum(
            known["home"]["taken"]
            for other, known in self.documents.items()
            if other != document
            and known["home"]
            and known["home"]["whose"] == whose
            and (whose[0] or self.owner(other) in family)
        )
        before = self.documents[document]["home"]
        had = before["taken"] if before and before["whose"] == whose else 0
        return {"whose": whose, "left": max(had, HOME - others), "taken": 0}

    def _grant(
        self, document: str, rule: str, wanted: int, day: int, home: dict[str, Any]
    ) -> dict[str, Any]:
        """As much as was had before, and as there is room for besides."""
        period, most = _room(rule, day)
        before = self.documents[document]["gave"].get(rule)
        had = before["granted"] if before and before["period"] == period else 0
        room = max(0, most - sum(self._taken(rule, period, self._who_shares(rule, document))))
        granted = min(wanted, had + room)
        if rule != "status":
            granted = min(granted, home["left"])
            home["left"] -= granted
            home["taken"] += granted
        return {"wanted": wanted, "granted": granted, "period": period}

    def _who_shares(self, rule: str, document: str) -> list[str]:
        """Whose documents take from the same purse."""
        owner = self.owner(document)
        return list(self.members) if rule in CAMPAIGNS or owner is None else self.family(owner)

    def _taken(self, rule: str, period: str, whose: list[str]) -> list[int]:
        """What all documents of some members have of a purse."""
        grants = [
            known["gave"][rule]
            for document, known in self.documents.items()
            if rule in known["gave"] and self.owner(document) in whose
        ]
        return [grant["granted"] for grant in grants if grant["period"] == period]


def _wants(food: int, tier: str) -> dict[str, int]:
    """Points by rule for so many cents of food."""
    return {
        "base": food // 100,
        "status": food // 100,
        "silver": food // 200 if tier == "silver" else 0,
        "gold": food // 100 if tier == "gold" else 0,
        "bonus": 50 if food >= 10_000 else 0,
    }


def _room(rule: str, day: int) -> tuple[str, int]:
    """The period that a day lies in, and the most that is given in it."""
    if rule == "base":
        return f"week {(day + FIRST_DAY.weekday()) // 7}", 260
    month = f"{date_of(day * DAY):%Y-%m}"
    return month, 120 if rule in CAMPAIGNS else UNLIMITED
