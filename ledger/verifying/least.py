"""What a fact of each kind says at the least: an emptied one is no fact, and verification names it.

Books find a fact that says something else than its neighbours. One that says nothing may have no
neighbours: of a document that is nobody's there is nothing but its versions.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from loyalty.v1.events_pb2 import Event

_MOVES: Final = "currency points business_unit"
_MERGES: Final = f"{_MOVES} merge_id"
_RECALLS: Final = f"{_MOVES} entry_id recall_id draws"
_LOT: Final = f"{_MOVES} lot_id funder earned_time"
_PUBLISHES: Final = "programme digest"

LEAST: Final[dict[str, str]] = {
    "member_enrolled": "member_id business_unit enrol_time",
    "identity_linked": "identity_id scheme business_unit",
    "identity_unlinked": "identity_id scheme business_unit",
    "member_profile_changed": "changed business_unit change_time",
    "consent_changed": "purpose state business_unit change_time",
    "member_erased": "certificate_id business_unit erase_time digest",
    "referral_created": "referral_id business_unit referrer_id reward_unit policy_digest"
    " referral_time",
    "referral_cause_changed": "referral_id business_unit document entry_id",
    "policy_published": f"{_PUBLISHES} version document effective_time expanded",
    "policy_drafted": f"{_PUBLISHES} version document effective_time expanded author",
    "policy_simulated": f"{_PUBLISHES} report_digest author",
    "policy_approved": f"{_PUBLISHES} approver",
    "policy_withdrawn": f"{_PUBLISHES} author",
    "budget_used": "name scope change",
    "points_earned": f"{_LOT} entry_id",
    "points_pended": f"{_LOT} entry_id",
    "points_released": f"{_MOVES} lot_id",
    "points_burned": f"{_MOVES} entry_id draws",
    "points_held": f"{_MOVES} hold_id entry_id draws",
    "hold_captured": f"{_MOVES} hold_id entry_id draws act",
    "hold_released": f"{_MOVES} hold_id draws cause act",
    "points_expired": f"{_LOT}",
    "points_clawed_back": f"{_MOVES} entry_id draws",
    "pending_clawed_back": f"{_MOVES} entry_id draws",
    "arrears_incurred": f"{_MOVES} debt_id entry_id",
    "arrears_repaid": f"{_MOVES} debt_id draws",
    "burn_reversed": f"{_MOVES} entry_id draws burn_entry_id act",
    "reversal_reversed": f"{_MOVES} entry_id draws burn_entry_id reversal_entry_id act",
    "opening_lot_recorded": f"{_LOT} source_digest entry_id",
    "clawback_written_off": f"{_MOVES} entry_id",
    "points_sent": f"{_MOVES} entry_id draws receiver_id lots kind",
    "points_received": f"{_MOVES} entry_id sender_id lots kind receive_time",
    "transfer_completed": f"{_MOVES} entry_id draws receiver_id",
    "points_returned": f"{_MOVES} entry_id draws cause receiver_id",
    "points_converted": f"{_MOVES} entry_id draws conversion into received policy_digest",
    "converted_points_issued": f"{_LOT} entry_id",
    "lot_reinstated": f"{_LOT} entry_id",
    "adjustment_made": "entry_id business_unit currency amount reason actor policy_digest",
    "points_adjusted": f"{_LOT} entry_id",
    "adjustment_proposed": "entry_id business_unit currency amount reason actor"
    " valid_until_time policy_digest",
    "adjustment_rejected": "entry_id proposal_id business_unit actor act",
    "lot_extended": "entry_id lot_id business_unit expire_time_before expire_time",
    "recall_made": "entry_id recall_id business_unit action lots",
    "points_quarantined": _RECALLS,
    "pending_quarantined": _RECALLS,
    "quarantine_lifted": _RECALLS,
    "pending_quarantine_lifted": _RECALLS,
    "quarantine_clawed_back": _RECALLS,
    "document_posted": "entry_id business_unit document.source document.document_id"
    " document.version document.status origin.business_unit pins.policy_digest pins.local_time"
    " pins.business_day pins.tier_window",
    "document_claimed": "entry_id business_unit document version member_id cause claim_time",
    "document_moved_out": "entry_id business_unit document version to_member_id",
    "tier_changed": "cause policy_digest effective_time basis",
    "period_closed": "programme period zone start_time end_time cut",
    "pool_created": "pool_id business_unit create_time",
    "pool_member_added": "member_id permissions business_unit",
    "pool_member_removed": "member_id business_unit by_id",
    "pool_permissions_changed": "member_id permissions business_unit by_id",
    "pool_closed": "business_unit by_id",
    "pool_joined": "pool_id business_unit",
    "pool_left": "pool_id business_unit",
    "membership_changed": "state business_unit change_time entry_id",
    "opening_recorded": "entry_id business_unit source source_digest row",
    "opening_source_declared": "source source_digest business_unit",
    "merge_stepped": "merge_id stage source_id target_id business_unit step_time",
    "lots_moved_out": f"{_MERGES} draws to_id",
    "lots_moved_in": f"{_MERGES} lots from_id",
    "pending_moved_out": f"{_MERGES} draws to_id",
    "pending_moved_in": f"{_MERGES} lots from_id",
    "hold_moved_out": f"{_MERGES} draws hold_id to_id",
    "hold_moved_in": f"{_MERGES} lots hold_id from_id entry_id",
    "debts_moved_out": f"{_MERGES} debts to_id",
    "debts_moved_in": f"{_MERGES} debts from_id",
}
"""By kind, fields of which none is ever empty or zero, as far as no other book looks at them."""


class _Least(NamedTuple):
    """How to look at facts of a kind."""

    names: tuple[str, ...]
    values: Callable[[Any], tuple[Any, ...]]
    """Of a message that is missing a default one, which is as true as any."""
    messages: tuple[str, ...]
    """Which of the names are those of messages."""


def _least(arm: FieldDescriptor) -> tuple[str, _Least]:
    names, kind = tuple(LEAST[arm.name].split()), arm.message_type
    assert kind is not None
    singular = {
        field.name
        for field in kind.fields
        if field.message_type is not None and not field.is_repeated
    }
    messages = tuple(name for name in names if name in singular)
    return kind.name, _Least(names, attrgetter(*names), messages)


_LEAST: Final = dict(map(_least, Event.DESCRIPTOR.oneofs_by_name["kind"].fields))


def lacking(fact: Message) -> list[str]:
    """Names of the fields that a fact of its kind always says, and this one does not."""
    names, values, messages = _LEAST[type(fact).__name__]
    said = values(fact)
    if all(said) and all(fact.HasField(name) for name in messages):
        return []
    return [
        name
        for name, value in zip(names, said, strict=True)
        if not value or (name in messages and not fact.HasField(name))
    ]
