"""Members who bring others: a policy that rewards it, and short words for it."""

from typing import Any

from ledger.core.refusals import Refusal
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty.v1.member_service_pb2 import CloseMemberRequest, CreateReferralRequest, Referral
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef, Origin
from tests.store.till import POLICY, Till

RATE = '{kind: base, id: base, currency: p, rate: {points: 1, per: "1.00 EUR"}}'
FRIEND = (
    "{kind: bonus, id: friend, currency: p, points: 200, when: {activity: [referral]},"
    " caps: [{window: local_year, points: 300}]}"
)
REFERRALS = POLICY.replace(RATE, f"{RATE}\n  - {FRIEND}") + (
    'referrals: {within_days: 14, minimums: ["30.00 EUR"]}\n'
)


def referring(
    till: Till, member: MemberRef, referrer: MemberRef, *, rid: str = "", unit: str = "a"
) -> CreateReferralRequest:
    return CreateReferralRequest(
        request_id=rid or till.rid(),
        origin=Origin(business_unit=unit),
        member=member,
        referrer=referrer,
    )


def pending(request: PostDocumentRequest) -> PostDocumentRequest:
    request.document.status = DOCUMENT_STATUS_PENDING
    return request


class Friends:
    """OLD brought NEW; what NEW buys, and what OLD has for it."""

    def __init__(self, till: Till, old: MemberRef, new: MemberRef) -> None:
        self.till = till
        self.old = old
        self.new = new
        self._versions: dict[str, int] = {}

    async def buys(self, name: str, *cents: int, unit: str = "a", **how: Any) -> int:
        """The next version of a purchase by NEW, none: it is cancelled. What OLD then has."""
        await self.till.post(self.purchase(name, *cents, unit=unit, **how))
        return await self.has()

    def purchase(self, name: str, *cents: int, unit: str = "a", **how: Any) -> PostDocumentRequest:
        version = self._versions[name] = self._versions.get(name, 0) + 1
        return self.till.document(self.new, name, version, *cents, unit=unit, **how)

    async def has(self) -> int:
        return await self.till.available(self.old)

    async def referral(self) -> Referral:
        known = await self.till.ledger.reads.referral(self.new)
        assert known is not None
        return known

    async def cause(self) -> tuple[str, bool]:
        known = await self.referral()
        return known.document.rpartition("/")[2], known.counts


async def friends(till: Till, policy: str = REFERRALS) -> Friends:
    """A programme with referrals, and a member who was brought."""
    await till.publish(policy)
    old, new = await till.enrol("old"), await till.enrol("new")
    await till.write(referring(till, new, old))
    return Friends(till, old, new)


async def refused(till: Till, request: Any) -> Refusal:
    """Why a request is refused."""
    try:
        await till.write(request)
    except Refusal as refusal:
        return refusal
    raise AssertionError("it was not refused")


async def close(till: Till, member: MemberRef) -> None:
    await till.write(
        CloseMemberRequest(
            request_id=till.rid(),
            origin=Origin(business_unit="a", operator="o"),
            member=member,
            reason="left",
            forfeit=True,
        )
    )


async def sound(till: Till) -> None:
    """Nothing is wrong with the history."""
    [*_, last] = [word async for word in till.ledger.verify(skip_awards=False)]
    assert not last.divergences
