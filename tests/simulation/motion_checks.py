"""What must be true of points that moved, reckoned from what was answered."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from ledger.core.events import AnyFact
from loyalty.v1.events_pb2 import (
    RETURN_CAUSE_CANCELLED,
    RETURN_CAUSE_DECLINED,
    RETURN_CAUSE_REFUSED,
    RETURN_CAUSE_TIMED_OUT,
    TRANSFER_KIND_HOME,
    BurnReversed,
    ConvertedPointsIssued,
    LotReinstated,
    PointsConverted,
    PointsExpired,
    PointsReceived,
    PointsReturned,
    PointsSent,
    TransferCompleted,
)
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    CancelTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    TransferPointsRequest,
)
from tests.core.laws import ISSUES, LEAVES, TAKES
from tests.simulation import pools
from tests.simulation.due import accounts, folded
from tests.simulation.located import Located, answered, by_entry
from tests.simulation.processes import World
from tests.simulation.programme import converted, transfer_fee
from tests.simulation.traffic import Traffic

_WORDS: Final[dict[type[Any], tuple[type, int]]] = {
    AcceptTransferRequest: (PointsReceived, 0),
    DeclineTransferRequest: (PointsReturned, RETURN_CAUSE_DECLINED),
    CancelTransferRequest: (PointsReturned, RETURN_CAUSE_CANCELLED),
}
"""How a transfer ends on whose word."""


def check_motion(facts: list[Located], world: World, traffic: Traffic) -> None:
    """Assert everything about points that moved, once everything has come to rest."""
    _check_transfers(facts, traffic)
    _check_words(facts, traffic)
    _check_conversions(facts, traffic)
    _check_conserved(facts, world)


def fees(traffic: Traffic) -> Iterator[str]:
    """Entries of which a fee was burned."""
    for request, posting in answered(traffic, TransferPointsRequest):
        # Whoever takes points home out of a pool pays nothing.
        fee = transfer_fee(request.points.currency, request.points.amount)
        if fee and not request.member.pool_id:
            yield posting.entry_id
    for conversion, posting in answered(traffic, ConvertPointsRequest):
        if conversion.conversion == "up":
            yield posting.entry_id


def _check_transfers(facts: list[Located], traffic: Traffic) -> None:
    """What was answered was sent, once, and arrived or came back, once, and whole."""
    sent = by_entry(facts, PointsSent)
    told = {
        posting.entry_id: (posting.member_id, request.points.currency, request.points.amount)
        for request, posting in answered(traffic, TransferPointsRequest)
    }
    recorded = {
        entry: (account, fact.currency, fact.points) for entry, [(account, fact)] in sent.items()
    }
    went_home = {
        transfer: pool.pool_id
        for kind in pools.BROUGHT_ON
        for _, pool in answered(traffic, kind)
        for transfer in pool.transfer_ids
    }
    assert {entry: recorded.pop(entry)[0] for entry in went_home} == went_home
    assert told == recorded
    arrived, back = by_entry(facts, PointsReceived), by_entry(facts, PointsReturned)
    assert arrived.keys() | back.keys() == sent.keys()
    assert not arrived.keys() & back.keys()
    let_go = by_entry(facts, TransferCompleted)
    assert let_go.keys() == arrived.keys()
    given_back = by_entry([(who, fact) for who, fact in facts if _is_fee_back(fact)], BurnReversed)
    for entry, [(sender, fact)] in sent.items():
        for ends, who in ((arrived, fact.receiver_id), (let_go, sender), (back, sender)):
            for account, end in ends.get(entry, ()):
                named = getattr(end, "sent_to_id", "") or account
                assert (named, end.points) == (who, fact.points), entry
        returned = [end.points for _, end in given_back.get(entry, ())]
        free = fact.kind == TRANSFER_KIND_HOME
        fee = 0 if free else transfer_fee(fact.currency, fact.points)
        assert returned == ([fee] if fee and entry in back else []), entry
    for ends in (arrived, let_go, back):
        assert all(len(each) == 1 for each in ends.values())


def _is_fee_back(fact: AnyFact) -> bool:
    return isinstance(fact, BurnReversed) and fact.entry_id == fact.burn_entry_id


def _check_words(facts: list[Located], traffic: Traffic) -> None:
    """Who was told that a transfer is accepted, declined or cancelled was told the truth."""
    ends = by_entry(facts, PointsReceived) | by_entry(facts, PointsReturned)
    said: Counter[str] = Counter()
    for kind, (outcome, cause) in _WORDS.items():
        for request, _ in answered(traffic, kind):
            said[request.transfer_id] += 1
            [(_, end)] = ends[request.transfer_id]
            assert type(end) is outcome, request
            assert getattr(end, "cause", 0) == cause, request
    assert all(times == 1 for times in said.values())
    for entry, [(_, end)] in ends.items():
        if isinstance(end, PointsReturned) and entry not in said:
            assert end.cause in (RETURN_CAUSE_TIMED_OUT, RETURN_CAUSE_REFUSED), end


def _check_conversions(facts: list[Located], traffic: Traffic) -> None:
    """What was converted was given up and got, once each, in the same account."""
    told = {
        posting.entry_id: (posting.member_id, request.points)
        for request, posting in answered(traffic, ConvertPointsRequest)
    }
    kind = {
        posting.entry_id: request.conversion
        for request, posting in answered(traffic, ConvertPointsRequest)
    }
    given, got = by_entry(facts, PointsConverted), by_entry(facts, ConvertedPointsIssued)
    assert told == {entry: (account, fact.points) for entry, [(account, fact)] in given.items()}
    assert {
        entry: (account, converted(kind[entry], points))
        for entry, (account, points) in told.items()
    } == {entry: (account, fact.points) for entry, [(account, fact)] in got.items()}


def _check_conserved(facts: list[Located], world: World) -> None:
    """All accounts together have what was ever issued and not used up; nothing is in transit."""
    left: Counter[str] = Counter()
    for _, fact in facts:
        if isinstance(fact, ISSUES | LotReinstated | BurnReversed):
            left[fact.currency] += fact.points
        elif isinstance(fact, TAKES | PointsExpired) and not isinstance(fact, LEAVES):
            left[fact.currency] -= fact.points
    had: Counter[str] = Counter()
    for stream in accounts(world):
        for lot in folded(world, stream).lots:
            had[lot.currency] += lot.left
            assert not lot.in_transit, f"{stream} has points in transit at rest"
    assert +left == +had
