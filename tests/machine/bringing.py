"""The clerk's model of referrals: who brought whom, and what they have for it."""

from typing import Any

from tests.machine.books import DAY, HOUR, No
from tests.machine.papers import Papers

ENROLLED = 9 * HOUR
TOLD_WITHIN = 20 * DAY
BOUGHT_WITHIN = 15 * DAY
LEAST = 3_000


class Bringing(Papers):
    """The first purchase of 30.00 or more is rewarded with 40 points, as long as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.referrals: dict[str, dict[str, Any]] = {}
        """By the account of who was brought."""

    def refer(self, member: str, referrer: str, now: int) -> None:
        """Say who brought a member, once and not too late."""
        for who in (member, referrer):
            self.require_somebody(who)
        for who in (member, referrer):
            self.require_not_closed(who)
        member, referrer = self.place(member), self.place(referrer)
        of_theirs = self.referrals.get(referrer, {}).get("referrer")
        household = self.household(member)
        if member == referrer or of_theirs == member:
            raise No("SELF_REFERRAL")
        if household and household == self.household(referrer):
            raise No("SELF_REFERRAL")
        if member in self.referrals:
            raise No("ALREADY_REFERRED")
        if now > ENROLLED + TOLD_WITHIN:
            raise No("REFERRAL_TOO_LATE")
        self.referrals[member] = {"referrer": referrer, "told": now, "cause": "", "counts": False}

    def post(self, document: str, version: int, content: dict[str, Any], now: int) -> str:
        said = super().post(document, version, content, now)
        if said == "POSTED":
            self._look(document, now)
        return said

    def move(self, document: str, member: str, now: int) -> None:
        before = self.owner(document)
        super().move(document, member, now)
        if before is not None:
            self._reward(self.place(before), document, now, counts=False)
        self._look(document, now)

    def claim(self, document: str, member: str, now: int, *, right_code: bool) -> None:
        super().claim(document, member, now, right_code=right_code)
        self._look(document, now)

    def look_again(self, member: str, now: int) -> None:
        """Who parts from another: what became of the purchase that counted is seen now."""
        referral = self.referrals.get(member)
        if referral is None or not referral["counts"]:
            return
        if self.owner(referral["cause"]) == member:
            self._look(referral["cause"], now)
        else:
            self._reward(member, referral["cause"], now, counts=False)

    def _look(self, document: str, now: int) -> None:
        """A purchase counts or not; those of who is part of another are not looked at."""
        owner, known = self.owner(document), self.documents[document]
        content = known["versions"][max(known["versions"])]
        referral = self.referrals.get(owner or "")
        if owner is None or referral is None or self.place(owner) != owner:
            return
        in_time = known["happened"] <= referral["told"] + BOUGHT_WITHIN
        enough = content["status"] == "final" and content["food"] >= LEAST
        self._reward(owner, document, now, counts=in_time and enough)

    def _reward(self, member: str, document: str, now: int, *, counts: bool) -> None:
        """The reward is given, or taken back, with the one purchase that counts."""
        referral = self.referrals.get(member)
        if referral is None or referral["counts"] == counts:
            return
        if referral["counts"] and referral["cause"] != document:
            return
        referral.update(cause=document, counts=counts)
        reward, referrer = f"reward of {member}", referral["referrer"]
        known = self.documents.get(reward, {"versions": {}})
        if not known["versions"] and (not counts or self._gets_nothing(referrer)):
            return
        status = "final" if counts else "cancelled"
        content = {"food": 0, "reward": 40, "unit": "a", "member": referrer, "status": status}
        super().post(reward, len(known["versions"]) + 1, content, now)

    def _gets_nothing(self, referrer: str) -> bool:
        return self.is_closed(referrer) or self.place(referrer) in self.erased
