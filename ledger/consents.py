"""Consents between the contract and the core: as callers tell them, and as they see them."""

from collections.abc import Iterable

from ledger.core.care import Consent
from ledger.core.instant import Instant, to_timestamp
from loyalty.v1.member_service_pb2 import Consent as ConsentMessage
from loyalty.v1.member_service_pb2 import ConsentChange
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, CONSENT_STATE_WITHDRAWN


def consents_of(
    changes: Iterable[ConsentChange], *, business_unit: str, at: Instant
) -> tuple[Consent, ...]:
    """What a request tells, with where and when it was told."""
    return tuple(
        Consent(
            change.purpose,
            change.channel,
            change.state == CONSENT_STATE_GRANTED,
            change.wording_version,
            change.source,
            business_unit,
            at,
        )
        for change in changes
    )


def consent_messages(consents: Iterable[Consent]) -> list[ConsentMessage]:
    """Consents as callers see them."""
    return [
        ConsentMessage(
            purpose=consent.purpose,
            channel=consent.channel,
            state=CONSENT_STATE_GRANTED if consent.granted else CONSENT_STATE_WITHDRAWN,
            wording_version=consent.wording_version,
            source=consent.source,
            business_unit=consent.business_unit,
            change_time=to_timestamp(consent.changed_at),
        )
        for consent in consents
    ]
