"""ConvertPoints: points of one currency become another's."""

import uuid_utils

import rules
from ledger.act import Act, Answer
from ledger.core import commands
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out, posting
from ledger.handlers.members import require_unit
from ledger.policies import ask
from ledger.work import Work
from loyalty.v1.ledger_service_pb2 import ConvertPointsRequest


def convert_points(act: Act, work: Work) -> Answer:
    """Give points up for points of another currency, as a conversion of the policy says."""
    request = act.request
    assert isinstance(request, ConvertPointsRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    policy = work.policies.at(at)
    stream = context.member_stream(act, work)
    account, due = work.advance(stream)
    found = ask(
        lambda: rules.convert(
            policy, request.conversion, request.points, at=at, member_since=account.enrolled_at
        )
    )
    command = commands.ConvertPoints(
        entry_id=str(uuid_utils.uuid7()),
        business_unit=unit,
        conversion=found.id,
        currency=found.currency,
        points=found.points,
        fee=found.fee,
        fee_unit=found.fee_unit,
        into=found.into,
        received=found.received,
        issuer=found.issuer,
        expires_at=found.end.expires_at,
        life=found.end.life,
        policy_digest=policy.digest,
        occurred_at=at,
        draw_first=policy.terms.currencies[found.currency].draw_first,
    )
    done = carry_out(work, stream, command)
    return context.register(act, work, done.where, posting(work, command.entry_id, due, done))
