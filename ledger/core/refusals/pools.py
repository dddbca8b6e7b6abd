"""Refusals of pools: who is in one, and what they may do there."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class UnknownPool(Refusal):
    """There is no such pool."""

    advice = "Check pool_id; GetMember tells the pools that a member is in."
    sentence = "there is no pool {pool_id!r}"
    pool_id: str


@dataclass(eq=False, kw_only=True)
class PoolNotOpen(Refusal):
    """The pool is closed: nothing is put in or spent, and nobody comes in."""

    advice = "Open another pool; what is left of this one can be taken home."
    sentence = "pool {pool_id!r} is closed"
    pool_id: str


@dataclass(eq=False, kw_only=True)
class NotPermittedInPool(Refusal):
    """The member is not in the pool, or may not do that there."""

    advice = "Let a member who may administer the pool permit it."
    sentence = "member {member_id!r} may not {permission} in pool {pool_id!r}"
    pool_id: str
    member_id: str
    permission: str
    """view, contribute, spend or administer."""


@dataclass(eq=False, kw_only=True)
class NotInPool(Refusal):
    """The member whom it is about is not in the pool."""

    advice = "Check the member; GetPool tells who is in it."
    sentence = "member {member_id!r} is not in pool {pool_id!r}"
    pool_id: str
    member_id: str


@dataclass(eq=False, kw_only=True)
class AlreadyInPool(Refusal):
    """The member is in the pool already."""

    advice = "Nothing is to be done; SetPoolPermission changes what the member may do."
    sentence = "member {member_id!r} is in pool {pool_id!r} already"
    pool_id: str
    member_id: str


@dataclass(eq=False, kw_only=True)
class LastAdministrator(Refusal):
    """Nobody would be left who may administer the pool."""

    advice = "Let another member administer it first, or let this one leave."
    sentence = "member {member_id!r} is the last who may administer pool {pool_id!r}"
    pool_id: str
    member_id: str


@dataclass(eq=False, kw_only=True)
class InPools(Refusal):
    """The member is in a pool, and cannot become part of another one before leaving it."""

    advice = "Let the member leave its pools first: `loyalty pool remove`."
    sentence = "member {member_id} is in pool {pool_id}"
    member_id: str
    pool_id: str


@dataclass(eq=False, kw_only=True)
class PoolFull(Refusal):
    """The pool has as many members as a pool may have."""

    advice = "Take a member out first, or open another pool."
    sentence = "pool {pool_id!r} has {limit} members, the most that a pool may have"
    pool_id: str
    limit: int


@dataclass(eq=False, kw_only=True)
class TooManyPools(Refusal):
    """The member is in as many pools as a member may be."""

    advice = "Leave a pool first."
    sentence = "member {member_id!r} is in {limit} pools, the most that a member may be in"
    member_id: str
    limit: int
