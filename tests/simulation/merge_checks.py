"""What must be true of members who were merged, reckoned from what was answered."""

from collections import Counter
from typing import Final, cast

from ledger.act import Answer
from ledger.core.events import AccountFact, decode
from ledger.core.evolve import fold
from ledger.core.state import Account
from ledger.lanes import account_of, account_stream
from loyalty.v1.events_pb2 import (
    MERGE_STAGE_MERGED,
    MERGE_STAGE_MOVED,
    MERGE_STAGE_MOVED_BACK,
    MERGE_STAGE_STARTED,
    MERGE_STAGE_UNMERGE_STARTED,
    MERGE_STAGE_UNMERGED,
    MergeStepped,
    PointsReceived,
)
from loyalty.v1.ledger_service_pb2 import ClaimDocumentRequest, PostDocumentRequest
from loyalty.v1.member_service_pb2 import (
    EnrolMemberRequest,
    MergeMembersRequest,
    UnmergeMembersRequest,
)
from loyalty.v1.types_pb2 import MemberRef
from tests.simulation.due import accounts, folded
from tests.simulation.located import Located, answered, by_entry
from tests.simulation.processes import World
from tests.simulation.replays import check_replays
from tests.simulation.traffic import Sent, Traffic

_WAYS: Final = {
    MERGE_STAGE_STARTED: (MERGE_STAGE_MOVED, MERGE_STAGE_MERGED),
    MERGE_STAGE_UNMERGE_STARTED: (MERGE_STAGE_MOVED_BACK, MERGE_STAGE_UNMERGED),
}
"""From how it begins: how it goes on, and how it ends."""
_BEGUN_BY: Final = {
    MergeMembersRequest: MERGE_STAGE_STARTED,
    UnmergeMembersRequest: MERGE_STAGE_UNMERGE_STARTED,
}

ASKED_AGAIN: Final = 100
"""Requests of merged members that are asked once more."""


async def check_merges(facts: list[Located], world: World, traffic: Traffic) -> None:
    """Assert everything about merged members, once everything has come to rest."""
    _check_whole(facts)
    _check_begun(facts, traffic)
    for stream in accounts(world):
        assert folded(world, stream).merging is None, stream
        _check_emptied(world, stream)
    _check_homes(facts, world, traffic)
    await _check_redirects(world, traffic)
    await check_replays(traffic, _of_merged(world, traffic))


def _check_whole(facts: list[Located]) -> None:
    """Each merge, and each undoing, is told in both accounts alike, from beginning to end."""
    told: dict[str, dict[str, list[MergeStepped]]] = {}
    for account, fact in facts:
        if isinstance(fact, MergeStepped):
            told.setdefault(fact.merge_id, {}).setdefault(account, []).append(fact)
    for steps in told.values():
        [one, other] = steps.values()
        assert one == other
        first = one[0]
        assert steps.keys() == {first.source_id, first.target_id}
        goes_on, ends = _WAYS[first.stage]
        assert [step.step for step in one] == list(range(len(one)))
        assert [step.stage for step in one[1:]] == [goes_on] * (len(one) - 2) + [ends]


def _check_begun(facts: list[Located], traffic: Traffic) -> None:
    """What was answered has begun, and nothing else has."""
    for kind, stage in _BEGUN_BY.items():
        told = Counter(
            (member.member_id, member.merged_into) for _, member in answered(traffic, kind)
        )
        begun = Counter(
            (fact.source_id, fact.target_id)
            for account, fact in facts
            if isinstance(fact, MergeStepped)
            if fact.stage == stage and account == fact.source_id
        )
        assert told == begun


def _check_emptied(world: World, stream: str) -> None:
    """Whoever was merged had nothing left just then."""
    account = Account(account_of(stream))
    facts: list[AccountFact] = []
    for event in world.database.streams[stream]:
        facts.append(cast(AccountFact, decode(event.payload)))
        last = facts[-1]
        if not isinstance(last, MergeStepped) or last.stage != MERGE_STAGE_MERGED:
            continue
        if last.source_id == account.account_id:
            account = fold(account, facts)
            facts.clear()
            assert not [*account.lots, *account.holds, *account.debts], stream


def _check_homes(facts: list[Located], world: World, traffic: Traffic) -> None:
    """What a document gave is in the account that its buyer is part of now.

    Not what went through a pool: that comes home to who put it in, whoever that was part of then.
    """
    received = by_entry(facts, PointsReceived)
    members = {
        request.identities[0].value: member.member_id
        for request, member in answered(traffic, EnrolMemberRequest)
    }
    buyers = {
        request.document: request.member for request, _ in answered(traffic, ClaimDocumentRequest)
    }
    for request, _ in answered(traffic, PostDocumentRequest):
        if request.HasField("member"):
            key = f"{request.origin.business_unit}/pos/{request.document.document_id}"
            buyers.setdefault(key, request.member)
    for stream in accounts(world):
        for lot in folded(world, stream).lots:
            if lot.document and lot.lot_id.rpartition(".")[0] not in received:
                buyer = members[buyers[lot.document].identity.value]
                assert _live(world, buyer) == account_of(stream), lot


async def _check_redirects(world: World, traffic: Traffic) -> None:
    """Whoever asks for a member by card or id gets the account that the member is part of."""
    process = await world.any_process()
    for request, member in answered(traffic, EnrolMemberRequest):
        live = _live(world, member.member_id)
        for ref in (
            MemberRef(identity=request.identities[0]),
            MemberRef(member_id=member.member_id),
        ):
            found = await process.ledger.reads.found(ref)
            assert found.account.account_id == live
            assert found.merged_into == ("" if live == member.member_id else live)
            assert found.account.balances == folded(world, account_stream(live)).balances


def _live(world: World, account: str) -> str:
    """The account that one is part of, by what its own steps say."""
    into = ""
    for event in world.database.streams[account_stream(account)]:
        fact = decode(event.payload)
        if isinstance(fact, MergeStepped) and fact.source_id == account:
            if fact.stage == MERGE_STAGE_MERGED:
                into = fact.target_id
            elif fact.stage == MERGE_STAGE_UNMERGED:
                into = ""
    return _live(world, into) if into else account


def _of_merged(world: World, traffic: Traffic) -> list[Sent]:
    """What was answered to members who are part of others now."""
    cards = {
        request.identities[0].value
        for request, member in answered(traffic, EnrolMemberRequest)
        if _live(world, member.member_id) != member.member_id
    }
    asked = [
        sent
        for sent in traffic.sent.values()
        if isinstance(sent.result, Answer)
        if getattr(sent.request, "member", MemberRef()).identity.value in cards
    ]
    return asked[:: max(1, len(asked) // ASKED_AGAIN)]
