"""Erasing: an account becomes nobody's, and a certificate says so.

What is erased, rows of identities and of the register, stands outside the history; the shell lets
it go in the same commit.
"""

from hashlib import sha256

from ledger.core.closing import require_empty
from ledger.core.commands import EraseMember
from ledger.core.decision import Draft
from ledger.core.expiring import forfeit
from ledger.core.instant import to_timestamp
from ledger.core.state import Account
from loyalty.v1.events_pb2 import MemberErased
from loyalty.v1.types_pb2 import ERASED_BALANCE_FORFEITED, ErasedIdentity


def erase(draft: Draft, command: EraseMember, account: Account) -> None:
    """Record the certificate, and forfeit the points if it says so. Raises AccountNotEmpty."""
    forfeits = command.balance == ERASED_BALANCE_FORFEITED
    if forfeits:
        require_empty(draft, forfeits=True)
    fact = MemberErased(
        certificate_id=command.certificate_id,
        business_unit=command.business_unit,
        requested_by=command.requested_by,
        reference=command.reference,
        actor=command.actor,
        identities=[
            ErasedIdentity(identity_id=identity_id, scheme=scheme)
            for identity_id, scheme in command.identities
        ],
        profile=command.profile,
        balance=command.balance,
        erase_time=to_timestamp(command.occurred_at),
    )
    fact.digest = digest_of(fact, account.account_id)
    draft.record(fact)
    if forfeits:
        forfeit(draft, entry_id=command.certificate_id)


def digest_of(fact: MemberErased, member_id: str) -> str:
    """What a certificate's digest has to be."""
    whole = MemberErased()
    whole.CopyFrom(fact)
    whole.digest = ""
    content = whole.SerializeToString(deterministic=True)
    return sha256(member_id.encode() + b"\x00" + content).hexdigest()
