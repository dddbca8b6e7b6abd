"""The member register: what business units know of members, sealed, outside the history.

Each row is sealed under a random key of its own, and that key is wrapped by one that is derived
from the identity key, which the database does not have. Whoever deletes the wrapped key has made
the row unreadable, in every copy of it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.lanes import account_of, account_stream
from ledger.profile import UNKNOWN, Profile, ProfileRow
from ledger.store import Store

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"loyalty member register"


class Register:
    """Seals profiles, and opens what the store has of them."""

    def __init__(self, identity_key: bytes) -> None:
        """Wrap keys under one derived from `identity_key`."""
        derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
        self._wrapping = AESGCM(derived.derive(identity_key))

    async def load(self, store: Store, streams: Iterable[str]) -> dict[str, Profile]:
        """What is known of the members with these accounts' streams; of some it is nothing."""
        found = dict.fromkeys(streams, UNKNOWN)
        if found:
            for row in await store.profiles([account_of(stream) for stream in found]):
                found[account_stream(row.account)] = self._opened(row)
        return found

    def sealed(self, profiles: Mapping[str, Profile]) -> list[ProfileRow]:
        """Rows of profiles by stream, ready to be stored."""
        return [self._sealed(account_of(stream), each) for stream, each in profiles.items()]

    def _sealed(self, account: str, profile: Profile) -> ProfileRow:
        key = AESGCM.generate_key(_KEY_BYTES * 8)
        about = account.encode()
        return ProfileRow(
            account,
            _encrypted(AESGCM(key), _text(profile), about),
            _encrypted(self._wrapping, key, about),
        )

    def _opened(self, row: ProfileRow) -> Profile:
        about = row.account.encode()
        key = _decrypted(self._wrapping, row.wrapped_key, about)
        return _profile(_decrypted(AESGCM(key), row.sealed, about))


def _encrypted(key: AESGCM, content: bytes, about: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, about)


def _decrypted(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)


def _text(profile: Profile) -> bytes:
    values = {
        "attributes": dict(profile.attributes),
        "segments": sorted(profile.segments),
        "birthday": profile.birthday,
        "household": profile.household,
        "household_code": profile.household_code,
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _profile(content: bytes) -> Profile:
    values: dict[str, Any] = json.loads(content)
    birthday = values["birthday"]
    return Profile(
        {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values["attributes"].items()
        },
        frozenset(values["segments"]),
        None if birthday is None else (birthday[0], birthday[1]),
        values["household"],
        values["household_code"],
    )
