"""UpdateMember: what business units know of a member, and what the member agrees to."""

from ledger.act import Act, Answer
from ledger.consents import consents_of
from ledger.core import commands
from ledger.handlers import context
from ledger.handlers.carrying_out import carry_out
from ledger.handlers.members import member_message, require_unit
from ledger.profile import UNKNOWN
from ledger.profile_changes import changed, check_words, parts_changed
from ledger.work import Work
from loyalty.v1.member_service_pb2 import UpdateMemberRequest


def update_member(act: Act, work: Work) -> Answer:
    """Change what is known of a member. The values go to the register, in the same commit."""
    request = act.request
    assert isinstance(request, UpdateMemberRequest)
    at = context.occurred_at(act, work)
    unit = request.origin.business_unit
    require_unit(work, unit, at)
    check_words(request, work.policies.at(at))
    stream = context.member_stream(act, work)
    account, _ = work.advance(stream)
    before = work.known.profiles.get(stream, UNKNOWN)
    after = changed(before, request, act.household_code)
    parts = parts_changed(before, after)
    if not parts and not request.consents:
        where = work.append(stream, account.version, ())
        return context.register(act, work, where, member_message(account, where))
    consents = consents_of(request.consents, business_unit=unit, at=at)
    done = carry_out(work, stream, commands.ChangeProfile(parts, unit, at, consents))
    if parts:
        work.register_profile(stream, after)
    return context.register(act, work, done.where, member_message(done.account, done.where))
