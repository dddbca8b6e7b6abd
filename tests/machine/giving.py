"""The clerk's model of what documents give: points by rule, as far as there is room for them."""

from datetime import date, timedelta
from typing import Any

from tests.machine.standing import Standing

Grants = dict[str, dict[str, Any]]
"""Points wanted and granted by rule, and the period in which they are counted."""
FIRST_DAY = date(2026, 1, 1)
"""A Thursday."""
CAMPAIGNS = {"bonus": "spring"}


class Giving(Standing):
    """A member has room for so many points of the base a week, everybody for a month's bonuses."""

    def gives(self, document: str, content: dict[str, Any], day: int) -> Grants:
        """What a document gives, counted on a day, by rule in the order in which it is given."""
        if content["status"] == "cancelled":
            return {}
        wanted = _wants(content["food"])
        return {
            rule: self._grant(document, rule, points, day)
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

    def _grant(self, document: str, rule: str, wanted: int, day: int) -> dict[str, Any]:
        """As much as was had before, and as there is room for besides."""
        period, most = _room(rule, day)
        before = self.documents[document]["gave"].get(rule)
        had = before["granted"] if before and before["period"] == period else 0
        room = max(0, most - sum(self._taken(rule, period, self._who_shares(rule, document))))
        return {"wanted": wanted, "granted": min(wanted, had + room), "period": period}

    def _who_shares(self, rule: str, document: str) -> list[str]:
        """Whose documents take from the same purse."""
        owner = self.owner(document)
        return list(self.members) if rule in CAMPAIGNS or owner is None else self.family(owner)

    def owner(self, document: str) -> str | None:
        """Whose a document is now; None while it is nobody's, or nothing was posted."""
        known = self.documents.get(document)
        return known["versions"][max(known["versions"])]["member"] if known else None

    def _taken(self, rule: str, period: str, whose: list[str]) -> list[int]:
        """What all documents of some members have of a purse."""
        grants = [
            known["gave"][rule]
            for document, known in self.documents.items()
            if rule in known["gave"] and self.owner(document) in whose
        ]
        return [grant["granted"] for grant in grants if grant["period"] == period]


def _wants(food: int) -> dict[str, int]:
    """Points by rule for so many cents of food."""
    return {"base": food // 100, "bonus": 50 if food >= 10_000 else 0}


def _room(rule: str, day: int) -> tuple[str, int]:
    """The period that a day lies in, and the most that is given in it."""
    if rule == "base":
        return f"week {(day + FIRST_DAY.weekday()) // 7}", 260
    return f"{FIRST_DAY + timedelta(days=day):%Y-%m}", 120
