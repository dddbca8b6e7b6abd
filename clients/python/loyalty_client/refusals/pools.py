"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class UnknownPool(Refusal):
    """There is no such pool."""

    reason = "UNKNOWN_POOL"
    pool_id: str


class PoolNotOpen(Refusal):
    """The pool is closed: nothing is put in or spent, and nobody comes in."""

    reason = "POOL_NOT_OPEN"
    pool_id: str


class NotPermittedInPool(Refusal):
    """The member is not in the pool, or may not do that there."""

    reason = "NOT_PERMITTED_IN_POOL"
    pool_id: str
    member_id: str
    permission: str


class NotInPool(Refusal):
    """The member whom it is about is not in the pool."""

    reason = "NOT_IN_POOL"
    pool_id: str
    member_id: str


class AlreadyInPool(Refusal):
    """The member is in the pool already."""

    reason = "ALREADY_IN_POOL"
    pool_id: str
    member_id: str


class LastAdministrator(Refusal):
    """Nobody would be left who may administer the pool."""

    reason = "LAST_ADMINISTRATOR"
    pool_id: str
    member_id: str


class InPools(Refusal):
    """The member is in a pool, and cannot become part of another one before leaving it."""

    reason = "IN_POOLS"
    member_id: str
    pool_id: str


class PoolFull(Refusal):
    """The pool has as many members as a pool may have."""

    reason = "POOL_FULL"
    pool_id: str
    limit: int


class TooManyPools(Refusal):
    """The member is in as many pools as a member may be."""

    reason = "TOO_MANY_POOLS"
    member_id: str
    limit: int
