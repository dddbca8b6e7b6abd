"""Words for recalls at a till."""

from typing import Any

from loyalty.v1.ledger_service_pb2 import Posting, RecallPointsRequest
from loyalty.v1.types_pb2 import (
    RECALL_ACTION_CLAW_BACK,
    RECALL_ACTION_QUARANTINE,
    RECALL_ACTION_RELEASE,
    MemberRef,
    Origin,
    RecallAction,
)
from tests.store.till import Till


def recalling(
    till: Till, member: MemberRef, action: RecallAction.ValueType, *lots: str, **said: Any
) -> RecallPointsRequest:
    """Under the id R for being paid twice, unless something else is said."""
    return RecallPointsRequest(
        request_id=said.pop("rid", "") or till.rid(),
        origin=Origin(business_unit="a", operator="u1"),
        member=member,
        recall_id=said.pop("recall", "R"),
        action=action,
        lot_ids=lots,
        reason="paid twice",
        **said,
    )


class Recaller:
    """Recalls points of a member."""

    def __init__(self, till: Till, member: MemberRef) -> None:
        self.till = till
        self.member = member

    async def lots(self) -> list[str]:
        """Ids of the open lots, oldest first."""
        account, _ = await self.till.ledger.reads.account(self.member)
        return [lot.lot_id for lot in account.lots]

    async def quarantines(self, *lots: str, **said: Any) -> Posting:
        return await self._post(RECALL_ACTION_QUARANTINE, *lots, **said)

    async def lifts(self, *lots: str, **said: Any) -> Posting:
        return await self._post(RECALL_ACTION_RELEASE, *lots, **said)

    async def claws_back(self, *lots: str, **said: Any) -> Posting:
        return await self._post(RECALL_ACTION_CLAW_BACK, *lots, **said)

    async def _post(self, action: RecallAction.ValueType, *lots: str, **said: Any) -> Posting:
        return await self.till.post(recalling(self.till, self.member, action, *lots, **said))
