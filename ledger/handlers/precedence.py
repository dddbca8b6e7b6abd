"""Which of several faults is told: the first in the order of `ledger.core.refusals`.

A verb stops at the first fault that it comes across, which need not be the first in that order: it
looks a document up before it decides about the account. So whatever a verb refuses is held against
what could be said before it: that the policy does not know a word, that nobody is known by a name,
that a member takes no part. This is asked of refused acts alone, and so costs nobody else anything.
"""

from collections.abc import Callable
from typing import Final

import rules
from ledger.act import Act
from ledger.core import refusals
from ledger.core.closing import require_member, require_taking_part
from ledger.core.refusals import Refusal
from ledger.core.state import Account
from ledger.handlers import context, documents, parties, tiers
from ledger.policies import ask
from ledger.pricing import price_of
from ledger.work import Work
from ledger.writes import WriteRequest
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    AdjustPointsRequest,
    BurnPointsRequest,
    ClaimDocumentRequest,
    ConvertPointsRequest,
    HoldPointsRequest,
    MoveDocumentRequest,
    PostDocumentRequest,
    TransferPointsRequest,
)
from loyalty.v1.member_service_pb2 import (
    AddPoolMemberRequest,
    CreateReferralRequest,
    GrantTierRequest,
    MoveIdentityRequest,
    SetPoolPermissionRequest,
)

_Check = Callable[[Act, Work], None]
_Standing = Callable[[Account], None]


def first_of(refused: Refusal, act: Act, work: Work) -> Refusal:
    """What is told of a refused act: what its verb came across, or what comes before that."""
    for check in _CHECKS.get(type(act.request), ()):
        try:
            check(act, work)
        except Refusal as found:
            if refusals.comes_before(found, refused):
                refused = found
    return refused


def _words(check: _Check) -> _Check:
    """A check that is put as for somebody who may do anything: only its words count."""

    def checked(act: Act, work: Work) -> None:
        try:
            check(act, work)
        except Refusal as found:
            if refusals.is_of_words(found):
                raise

    return checked


def _price(act: Act, work: Work) -> None:
    """Ask what it costs, for somebody of no tier."""
    request = act.request
    assert isinstance(request, BurnPointsRequest | HoldPointsRequest)
    at = context.occurred_at(act, work)
    price_of(request, work.policies.at(at), tier=None, at=at)


def _transfer(act: Act, work: Work) -> None:
    """Ask for terms, for two who are what any terms want; what comes home has none."""
    request = act.request
    assert isinstance(request, TransferPointsRequest)
    at = context.occurred_at(act, work)
    currency, points = request.points.currency, request.points.amount
    facts = rules.TransferFacts(currency, points, at, 0, 0, same_household=True)
    if not request.member.pool_id:
        ask(lambda: rules.transfer(work.policies.at(at), facts))


def _conversion(act: Act, work: Work) -> None:
    """Ask for terms, for somebody who has been a member for long."""
    request = act.request
    assert isinstance(request, ConvertPointsRequest)
    at = context.occurred_at(act, work)
    policy, name, points = work.policies.at(at), request.conversion, request.points
    ask(lambda: rules.convert(policy, name, points, at=at, member_since=0))


def _tier(act: Act, work: Work) -> None:
    request = act.request
    assert isinstance(request, GrantTierRequest)
    policy = work.policies.at(context.occurred_at(act, work))
    if request.tier:
        tiers.require_tier(rules.tier_ranks(policy), request.tier)


def _first(standing: _Standing) -> _Check:
    """Check of the member, or pool, that an act is for."""
    return lambda act, work: standing(work.account(parties.first_stream(act, work)))


def _other(standing: _Standing) -> _Check:
    """Check of the second one that is named."""
    return lambda act, work: standing(work.account(parties.other_stream(act, work)))


def _any(account: Account) -> None:
    """Whoever it is may be named."""


_CHECKS: Final[dict[type[WriteRequest], tuple[_Check, ...]]] = {
    PostDocumentRequest: (_words(documents.check_words), documents.check_member),
    ClaimDocumentRequest: (_first(require_member),),
    MoveDocumentRequest: (_first(require_member),),
    BurnPointsRequest: (_words(_price), _first(require_taking_part)),
    HoldPointsRequest: (_words(_price), _first(require_taking_part)),
    TransferPointsRequest: (_words(_transfer), _first(require_taking_part)),
    AcceptTransferRequest: (_first(require_taking_part),),
    ConvertPointsRequest: (_words(_conversion), _first(require_taking_part)),
    AdjustPointsRequest: (_first(require_member),),
    GrantTierRequest: (_words(_tier), _first(require_member)),
    MoveIdentityRequest: (_first(require_member),),
    CreateReferralRequest: (_first(require_member), _other(require_member)),
    AddPoolMemberRequest: (_other(require_member),),
    SetPoolPermissionRequest: (_other(_any),),
}
"""What may stand before what a verb comes across first: its words, and whom it names.

Verbs that are not listed ask for all of this themselves before anything else.
"""
