"""The keyed hash of identities is HMAC-SHA-256, whatever the length of the key."""

import hmac

import pytest

from ledger.identities import IdentityHash
from loyalty.v1.types_pb2 import Identity


@pytest.mark.parametrize("length", [32, 63, 64, 65, 200])
def test_an_identity_is_hashed_as_hmac_does(length: int) -> None:
    key = bytes(range(length))
    hashed = IdentityHash(key)
    for scheme, value in (("card", "8800"), ("phone", "+44" * 60), ("card", "8800")):
        message = scheme.encode() + b"\x00" + value.encode()
        expected = hmac.digest(key, message, "sha256")
        assert hashed.of(Identity(scheme=scheme, value=value)) == expected


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 are needed"):
        IdentityHash(bytes(31))
