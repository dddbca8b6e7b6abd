"""Certificates of erasures."""

from loyalty.v1.events_pb2 import MemberErased
from loyalty.v1.member_service_pb2 import ErasureCertificate


def certificate_of(fact: MemberErased, *, member_id: str, position: str) -> ErasureCertificate:
    """The certificate that a fact is."""
    return ErasureCertificate(
        certificate_id=fact.certificate_id,
        member_id=member_id,
        erase_time=fact.erase_time,
        business_unit=fact.business_unit,
        requested_by=fact.requested_by,
        reference=fact.reference,
        actor=fact.actor,
        identities=fact.identities,
        profile=fact.profile,
        balance=fact.balance,
        digest=fact.digest,
        position=position,
    )
