"""Signatures of webhooks, as the Standard Webhooks specification has them: its own library makes
them.

While a secret is replaced there are two, and a message carries a signature of each: the receiver
takes the one it can check.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from standardwebhooks.webhooks import Webhook

from adapters.frame import moments

PREFIX: Final = "whsec_"
KEY_BYTES: Final = (24, 64)


def problem_of(secret: str) -> str:
    """Return what is wrong with a secret, without telling it; empty: nothing."""
    expected = f"expected {PREFIX} and base64 of {KEY_BYTES[0]} to {KEY_BYTES[1]} random bytes"
    if not secret.startswith(PREFIX):
        return expected
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return expected
    return "" if KEY_BYTES[0] <= len(key) <= KEY_BYTES[1] else expected


def headers_of(
    message_id: str, body: str, secrets: Sequence[str], *, sent_at: int
) -> Mapping[str, str]:
    """Return the headers by which a receiver knows whose a message is, and that it is the same.

    Args:
        message_id: the same whenever the same message is sent again.
        body: the text that is sent.
        secrets: live ones, the newest first; each signs.
        sent_at: microseconds since the epoch, of this attempt.
    """
    moment = moments.utc(sent_at).replace(microsecond=0)
    signatures = [Webhook(secret).sign(message_id, moment, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at // moments.SECOND),
        "webhook-signature": " ".join(signatures),
    }
