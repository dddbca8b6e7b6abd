"""Who calls, and what they may do: bearer tokens that name a client's business units and verbs.

Only the SHA-256 of a token is stored. A token is 32 random bytes, so a plain hash is as good as a
slow one, and looking a hash up by its value tells an attacker nothing about any token.
"""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import asyncpg

from ledger.core.refusals import NotServing, Permission, Unauthenticated

ALL_UNITS: Final = "*"
TOKEN_PREFIX: Final = "loy_"
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
TTL_SECONDS: Final = 10.0
"""How long a revoked token may live on in a server."""
UNKNOWN_MAX: Final = 1_000
LOOKUP_SECONDS: Final = 5.0
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Verb(StrEnum):
    """What a token may allow."""

    EARN = "earn"
    BURN = "burn"
    CLAIM = "claim"
    MOVE = "move"
    RETURN = "return"
    SETTLE = "settle"
    ENROL = "enrol"
    TIER = "tier"
    PROFILE = "profile"
    CLOSE = "close"
    MERGE = "merge"
    OPENING = "opening"
    ERASE = "erase"
    READ = "read"
    AUDIT = "audit"
    POLICY = "policy"
    ADVANCE = "advance"
    ADJUST = "adjust"
    APPROVE = "approve"
    TRANSFER = "transfer"
    CONVERT = "convert"
    RECALL = "recall"
    POOL = "pool"


class NameTaken(Exception):
    """There is, or was, a token of that name: names are for ever."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A client that has proven who it is."""

    client: str
    business_units: frozenset[str]
    verbs: frozenset[str]

    def require(self, verb: Verb, business_unit: str = "") -> None:
        """Do nothing if the token allows the verb in the unit. Raises Permission.

        Without a unit any will do: a call has none, or lacks it and is malformed.
        """
        has_verb = verb in self.verbs
        if has_verb and (not business_unit or self.sees(business_unit)):
            return
        raise Permission(
            verb=verb.value,
            business_unit=business_unit,
            missing=f"business unit {business_unit!r}" if has_verb else f"verb {verb.value!r}",
            verbs=", ".join(sorted(self.verbs)),
            business_units=", ".join(sorted(self.business_units)),
        )

    def sees(self, business_unit: str) -> bool:
        """Whether things of the unit are this client's to know."""
        return business_unit in self.business_units or ALL_UNITS in self.business_units


class Tokens:
    """Principals by token, with a short memory of both known and unknown ones."""

    def __init__(self, pool: asyncpg.Pool, *, ttl_seconds: float = TTL_SECONDS) -> None:
        """Look tokens up through `pool`, each at most once in `ttl_seconds`."""
        self._pool = pool
        self.ttl_seconds = ttl_seconds
        """How long an answer about a token counts."""
        # As many as there are tokens; what is made up lands in the other one, which is bounded.
        self._known: dict[bytes, tuple[Principal, float]] = {}
        self._unknown: dict[bytes, float] = {}
        self._asked: dict[bytes, asyncio.Task[Principal | None]] = {}
        self._time = asyncio.get_running_loop().time

    def remembered(self, header: str) -> Principal | None:
        """Principal of an `authorization` header if it was looked up just now. Never waits."""
        found = self._known.get(token_hash(_token_of(header)))
        return found[0] if found is not None and found[1] > self._time() else None

    async def principal(self, header: str) -> Principal:
        """Principal of an `authorization` header.

        Raises:
            Unauthenticated: no token, not a token of ours, or a revoked one.
            NotServing: the database did not answer.
        """
        remembered = self.remembered(header)
        if remembered is not None:
            return remembered
        token = _token_of(header)
        hashed = token_hash(token)
        if not token or self._unknown.get(hashed, 0.0) > self._time():
            raise Unauthenticated()
        # All callers of one token wait for one question, and one that leaves does not end it.
        question = self._asked.get(hashed)
        if question is None:
            question = asyncio.create_task(self._ask(hashed))
            self._asked[hashed] = question
            question.add_done_callback(lambda _: self._asked.pop(hashed, None))
        principal = await asyncio.shield(question)
        if principal is None:
            raise Unauthenticated()
        return principal

    async def _ask(self, hashed: bytes) -> Principal | None:
        try:
            row = await self._pool.fetchrow(
                "SELECT name, business_units, verbs FROM api_token"
                " WHERE token_hash = $1 AND revoked_at IS NULL",
                hashed,
                timeout=LOOKUP_SECONDS,
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotServing(cause="tokens cannot be checked") from error
        until = self._time() + self.ttl_seconds
        if row is None:
            self._known.pop(hashed, None)
            if len(self._unknown) >= UNKNOWN_MAX:
                self._unknown.clear()
            self._unknown[hashed] = until
            return None
        principal = Principal(
            row["name"], frozenset(row["business_units"]), frozenset(row["verbs"])
        )
        self._known[hashed] = (principal, until)
        return principal


def _token_of(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def token_hash(token: str) -> bytes:
    """What is stored of a token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as it stands in the store. Nobody can tell the token from it."""

    name: str
    business_units: tuple[str, ...]
    verbs: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


async def create_token(
    connection: Connection,
    *,
    name: str,
    business_units: Iterable[str],
    verbs: Iterable[str],
) -> str:
    """Make a token for a client and return it; it cannot be shown again.

    Args:
        connection: may insert into `api_token`.
        name: of the client; it scopes the client's request ids, so it is for ever.
        business_units: that it may act for; "*" means all of them.
        verbs: see `Verb`.

    Raises:
        ValueError: a name, unit or verb is wrong; says what would be right.
        NameTaken: there is a token of that name, or there was.
    """
    units, allowed = tuple(dict.fromkeys(business_units)), tuple(dict.fromkeys(verbs))
    check_token(name, units, allowed)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    try:
        await connection.execute(
            "INSERT INTO api_token (token_hash, name, business_units, verbs, created_at)"
            " VALUES ($1, $2, $3, $4, now())",
            token_hash(token),
            name,
            list(units),
            list(allowed),
        )
    except asyncpg.UniqueViolationError:
        raise NameTaken(f"there is a token named {name!r} already, or there was") from None
    return token


def check_token(name: str, business_units: Sequence[str], verbs: Sequence[str]) -> None:
    """Do nothing if there may be such a token. Raises ValueError: says what would be right."""
    # The name stands in request keys between slashes.
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"name {name!r}: expected up to 64 of a-z, 0-9, '.', '_', '-', the first a-z or 0-9"
        )
    if not business_units:
        raise ValueError('business units: expected at least one, or "*" for all of them')
    for unit in business_units:
        if unit != ALL_UNITS and not _NAME.fullmatch(unit):
            raise ValueError(
                f'business unit {unit!r}: expected its id as in the policy, or "*" for all of them'
            )
    known = [verb.value for verb in Verb]
    if not verbs or not set(verbs) <= set(known):
        wrong = ", ".join(sorted(set(verbs) - set(known))) or "none"
        raise ValueError(f"verb {wrong!r}: expected one of {', '.join(known)}")


async def revoke_token(connection: Connection, *, name: str) -> bool:
    """Revoke a client's token; servers forget it within `TTL_SECONDS`. False: no live one."""
    done: str = await connection.execute(
        "UPDATE api_token SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL", name
    )
    return done == "UPDATE 1"


async def list_tokens(connection: Connection) -> list[TokenRecord]:
    """All tokens there ever were, oldest first."""
    rows = await connection.fetch(
        "SELECT name, business_units, verbs, created_at, revoked_at FROM api_token"
        " ORDER BY created_at, name"
    )
    return [
        TokenRecord(
            row["name"],
            tuple(row["business_units"]),
            tuple(row["verbs"]),
            row["created_at"],
            row["revoked_at"],
        )
        for row in rows
    ]
