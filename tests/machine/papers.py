"""The clerk's model of documents: what they give, whose they are, and points given by hand."""

from collections import Counter
from typing import Any

from tests.machine.books import DAY, HOUR, No, end_of_life, order, shift
from tests.machine.giving import CAMPAIGNS, Giving, Grants
from tests.machine.ladder import date_of

CLAIM_DAYS = 3
SPENDABLE = ("base", "silver", "gold", "bonus", "brought")
"""Rules that give points to spend."""


class Papers(Giving):
    """Documents, and adjustments by hand."""

    def post(self, document: str, version: int, content: dict[str, Any], now: int) -> str:
        """State a document; POSTED, REPLAYED or SUPERSEDED."""
        if content["member"] is not None and document not in self.documents:
            self.require_not_closed(content["member"])
        known = self.documents.setdefault(
            document,
            {
                "versions": {},
                "gave": {},
                "final": None,
                "at": now,
                "claimed": None,
                "home": None,
                "tier": "",
                "pinned": False,
                "status": {"year": 0, "counts": 0, "waits": 0},
            },
        )
        if version in known["versions"]:
            if known["versions"][version] != content:
                raise No("DOCUMENT_CONFLICT")
            return "REPLAYED"
        member = content["member"]
        if known["versions"] and version < max(known["versions"]):
            return "SUPERSEDED"
        known["versions"][version] = content
        known["at"] = now
        status = content["status"]
        if status == "final" and known["final"] is None:
            known["final"] = now
        if member is not None:
            self.tick(member, now)
            self._settle(member, document, known, content, now, earned=now)
            self.tick(member, now)
        return "POSTED"

    def move(self, document: str, member: str, now: int) -> None:
        """A document becomes another member's, or somebody's: nothing there, all of it here."""
        self.require_not_closed(member)
        known = self.documents[document]
        content = known["versions"][max(known["versions"])]
        before = content["member"]
        if before is not None and self.place(before) == self.place(member):
            raise No("ALREADY_THEIRS")
        if before is None:
            known["claimed"] = now
        else:
            self.tick(before, now)
            gave = sum(
                known["gave"][rule]["granted"] for rule in SPENDABLE if rule in known["gave"]
            )
            if gave:
                self.take_back(before, document, content["unit"], gave)
            if known["gave"]:
                self.ask(before, now, refunded=self.settle_status(document, 0, 0, "final"))
            self.tick(before, now)
        self._arrive(document, member, now)

    def claim(self, document: str, member: str, now: int, *, right_code: bool) -> None:
        """Somebody shows the receipt of a document that is nobody's, once and not too late."""
        try:
            self._require_claimable(document, member, now, right_code=right_code)
        except No as no:
            if str(no) != "DOCUMENT_OF_ANOTHER_MEMBER":
                self.require_not_closed(member)
            raise
        self.require_not_closed(member)
        self.documents[document]["claimed"] = now
        self._arrive(document, member, now)

    def _require_claimable(self, document: str, member: str, now: int, *, right_code: bool) -> None:
        known = self.documents.get(document)
        if known is None:
            raise No("UNKNOWN_DOCUMENT")
        if not right_code:
            raise No("WRONG_RECEIPT_CODE")
        if known["claimed"] is not None:
            raise No("ALREADY_CLAIMED")
        owner = self.owner(document)
        if owner is not None:
            theirs = self.place(owner) == self.place(member)
            raise No("ALREADY_THEIRS" if theirs else "DOCUMENT_OF_ANOTHER_MEMBER")
        if known["final"] is not None and now >= (known["final"] // DAY + CLAIM_DAYS + 1) * DAY:
            raise No("CLAIM_TOO_LATE")

    def _arrive(self, document: str, member: str, now: int) -> None:
        """What a document gives is given as if it had been this member's when it happened."""
        self.tick(member, now)
        known = self.documents[document]
        newest = max(known["versions"])
        known["versions"][newest] = {**known["versions"][newest], "member": member}
        known.update(gave={}, pinned=False, home=None)
        content = known["versions"][newest]
        happened = known["at"] if known["final"] is None else known["final"]
        self._settle(member, document, known, content, now, earned=happened)
        self.tick(member, now)

    def adjust(self, member: str, unit: str, points: int, now: int) -> None:
        """Points are given by hand, and pay no debt; or taken, and what is missing is owed."""
        self.require_not_closed(member)
        member = self.place(member)
        self.tick(member, now)
        if points > 0:
            self.new_lot(member, unit, points, ends=end_of_life("p", now), earned=now)
        else:
            self.take_back(member, "by hand", unit, -points)
        self.tick(member, now)

    def _settle(
        self, member: str, document: str, known: dict[str, Any], content: dict[str, Any], now: int,
        *, earned: int,
    ) -> None:  # fmt: skip
        """Post the difference between what the document gives and what it gave."""
        status, unit = content["status"], content["unit"]
        pinned = known["final"] if known["final"] is not None else earned
        if not known["pinned"]:
            known["tier"] = self.tier_at(member, earned)
            known["pinned"] = known["final"] is not None
        gives = self.gives(document, content, pinned // DAY)
        mine = [lot for lot in self.lots_of(member) if lot["document"] == document]
        waiting = [lot for lot in mine if lot["waiting"] and lot["from"] is None]
        undated = sum(lot["waiting"] for lot in waiting) if status == "final" else 0
        less, again, more = _difference(
            known["gave"], gives, _starts(status, pinned, now), undated=undated, now=now
        )
        counted = "status" in known["gave"] or "status" in gives
        known["happened"] = pinned
        known["gave"] = gives
        for campaign, points in again.items():
            self._take_of_waiting(member, document, campaign, points)
        if less:
            self.take_back(member, document, unit, less)
        if status == "final":
            for lot in sorted(waiting, key=order):
                if lot["waiting"]:
                    self.release_lot(member, lot)
        ends = end_of_life("p", pinned if known["claimed"] is None else known["claimed"])
        for (starts, campaign), points in more.items():
            lot = self.award(
                member, document, unit, points, starts=starts, ends=ends, earned=earned, now=now
            )
            lot["campaign"] = campaign
        if counted:
            self._count(member, document, pinned, content["status"], happened=earned, now=now)

    def _take_of_waiting(self, member: str, document: str, campaign: str, points: int) -> None:
        """Points that have to wait longer leave the lots that they wait in, their own first."""
        own = [lot for lot in self.in_order(member) if lot["document"] == document]
        for lot in sorted(own, key=lambda lot: lot.get("campaign", "") != campaign):
            if lot["currency"] == "p":
                points -= shift(lot, "waiting", "taken", points)

    def _count(
        self, member: str, document: str, pinned: int, status: str, *, happened: int, now: int
    ) -> None:
        """What a document counts for is counted, and the ladder asked as of then and as of now."""
        grant = self.documents[document]["gave"].get("status")
        points = grant["granted"] if grant else 0
        refunded = self.settle_status(document, points, date_of(pinned).year, status)
        self.ask(member, happened, refunded=refunded)
        if now - happened > HOUR:
            self.ask(member, now)


def _starts(status: str, pinned: int, now: int) -> dict[str, int | None]:
    """When points of each rule can be spent; None: when their document is final."""
    if status == "pending":
        return dict.fromkeys(SPENDABLE)
    return {**dict.fromkeys(SPENDABLE, now), "bonus": max(now, pinned + 14 * DAY)}


def _difference(
    gave: Grants,
    gives: Grants,
    starts: dict[str, int | None],
    *,
    undated: int,
    now: int,
) -> tuple[int, Counter[str], dict[tuple[int | None, str], int]]:
    """Points to take back; to take and give anew, by campaign; and to give, by when they can be
    spent and by campaign.

    `undated` points waited for the final version; those that now have to wait longer are given
    anew.
    """
    less, again, more = 0, Counter[str](), dict[tuple[int | None, str], int]()
    for rule, at in starts.items():
        had, has = (points[rule]["granted"] if rule in points else 0 for points in (gave, gives))
        longer = 0
        if at is not None and at > now:
            longer = min(had, has, undated)
            undated -= longer
        less += max(0, had - has)
        if longer:
            again[CAMPAIGNS.get(rule, "")] += longer
        given = max(0, has - had) + longer
        if given:
            key = at, CAMPAIGNS.get(rule, "")
            more[key] = more.get(key, 0) + given
    return less, again, more
