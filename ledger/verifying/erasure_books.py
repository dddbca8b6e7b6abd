"""Erasures on trial: a certificate is whole, and nothing is told of anybody after it."""

from collections.abc import Iterator
from typing import Final

from ledger.core.erasing import digest_of
from ledger.core.events import AccountFact
from ledger.core.tally import Tally
from loyalty.v1.events_pb2 import (
    ConsentChanged,
    IdentityLinked,
    MemberEnrolled,
    MemberErased,
    MemberProfileChanged,
    MergeStepped,
    OpeningRecorded,
    PointsBurned,
    PointsHeld,
    PointsSent,
    ReversalReversed,
)

_OF_SOMEBODY: Final = (
    ConsentChanged,
    IdentityLinked,
    MemberEnrolled,
    MemberErased,
    MemberProfileChanged,
    MergeStepped,
    OpeningRecorded,
    PointsBurned,
    PointsHeld,
    PointsSent,
    ReversalReversed,
)
"""What only a member who is not erased can have done, or had done."""


def wrong_of_erasure(fact: AccountFact, tally: Tally, account_id: str) -> Iterator[str]:
    """What is wrong about a fact, with the account before it, as far as erasing goes."""
    if tally.care.erased_at is not None and isinstance(fact, _OF_SOMEBODY):
        yield f"a {type(fact).__name__} stands behind the erasure of its member"
    if not isinstance(fact, MemberErased):
        return
    digest = digest_of(fact, account_id)
    if fact.digest != digest:
        yield f"the certificate's digest is {fact.digest}, its content has {digest}"
    erased = {(each.identity_id, each.scheme) for each in fact.identities}
    # Those of accounts that were merged into this one are told by their own streams too.
    missing = set(tally.identities) - erased
    if missing or (erased - set(tally.identities) and not tally.parts):
        yield f"{len(erased)} identities were erased, the member had {len(tally.identities)}"
