"""Refusals: every expected no, with the fields a caller needs to act on it.

A request with several faults is refused for the first of them in this order, top to bottom:

    who calls         UNAUTHENTICATED, PERMISSION
    form              MALFORMED
    service           NOT_SERVING, QUEUE_FULL, DEADLINE_PASSED
    asked before      REQUEST_CONFLICT, DOCUMENT_CONFLICT, OPENING_CONFLICT, HOLD_EXISTS
    policy            POLICY_INVALID, POLICY_EXISTS, DRAFT_EXISTS, POLICY_NOT_DRAFTED,
                      POLICY_WITHDRAWN, APPROVER_IS_AUTHOR, POLICY_NOT_APPROVED,
                      RETROACTIVE_POLICY, POLICY_OVERLAPS, POLICY_IN_FORCE, UNKNOWN_POLICY,
                      NO_POLICY
    words             UNKNOWN_BUSINESS_UNIT, UNKNOWN_CURRENCY, UNKNOWN_CATEGORY, UNKNOWN_TIER,
                      UNKNOWN_CONVERSION, UNKNOWN_REWARD, UNKNOWN_ACTIVITY, UNKNOWN_PAYMENT,
                      UNKNOWN_REASON, UNKNOWN_FUNDER, UNKNOWN_ATTRIBUTE, UNKNOWN_SEGMENT,
                      UNKNOWN_METRIC, ATTRIBUTE_TYPE, FOREIGN_CURRENCY, RATE_MISSING,
                      OCCURRED_IN_FUTURE, TOO_LATE, OPENING_SOURCE_CHANGED
    whose             UNKNOWN_MEMBER, ALREADY_ENROLLED, IDENTITY_TAKEN, DOCUMENT_OF_ANOTHER_MEMBER
    membership        ACCOUNT_ERASED, MERGING, MERGE_INTO_ITSELF, ALREADY_MERGED, NOT_MERGED,
                      UNMERGE_FIRST, ACCOUNT_CLOSED, ACCOUNT_SUSPENDED, IDENTITY_NOT_LINKED,
                      POINTS_IN_TRANSIT, POINTS_RECALLED, HOLD_OF_BOTH, ACCOUNT_NOT_EMPTY
    care of members   IDENTITIES_DIFFER, NOT_ERASED, NO_REFERRALS, SELF_REFERRAL,
                      ALREADY_REFERRED, REFERRAL_TOO_LATE, TOO_MANY_CONSENTS
    documents         UNKNOWN_DOCUMENT, TOO_MANY_GUESSES, WRONG_RECEIPT_CODE, ALREADY_CLAIMED,
                      CLAIM_TOO_LATE, ALREADY_THEIRS, NOT_A_RETURN
    accounting        PERIOD_NOT_OVER, PERIOD_OUT_OF_ORDER, UNKNOWN_PERIOD
    by hand           UNKNOWN_ADJUSTMENT, ADJUSTMENT_RESOLVED, APPROVER_MISSING,
                      APPROVER_IS_ACTOR, UNKNOWN_LOT, MORE_THAN_EXPIRED, LOT_WITHOUT_DATE,
                      END_NOT_LATER
    transfers         UNKNOWN_TRANSFER, TRANSFER_RESOLVED, TRANSFER_WAITS, NO_RELATION,
                      ACCOUNT_TOO_YOUNG
    pools             UNKNOWN_POOL, POOL_NOT_OPEN, NOT_PERMITTED_IN_POOL, NOT_IN_POOL,
                      ALREADY_IN_POOL, LAST_ADMINISTRATOR, IN_POOLS, POOL_FULL, TOO_MANY_POOLS
    what              UNKNOWN_HOLD, HOLD_RESOLVED, UNKNOWN_ENTRY, NOT_REVERSIBLE,
                      FEE_NOT_REVERSIBLE, NO_TIER_GRANTED, TIER_BELOW_EARNED
    how many          NOT_FOR_TIER, NOT_NOW, BELOW_MINIMUM, NOT_A_STEP, ABOVE_MAXIMUM,
                      BASKET_SHARE_EXCEEDED, LIMIT_REACHED, VELOCITY_EXCEEDED, MORE_THAN_HELD,
                      MORE_THAN_LEFT, INSUFFICIENT_POINTS, CLAWBACK_REFUSED, TOO_MANY_LOTS,
                      POINTS_OVERFLOW
    together          ATOMIC_REFUSED

`ledger.handlers.precedence` sees to that where a verb comes across a later one first.

A class's docstring is the meaning and `advice` what the caller should do; docs/refusals.md is
generated from both. Only the object's own unit may learn that it exists, so an act on another
unit's hold or burn is refused as unknown.
"""

from types import ModuleType
from typing import Final

from ledger.core.refusals import (
    adjusting,
    calls,
    care,
    documents,
    membership,
    periods,
    points,
    policies,
    pools,
    transfers,
    words,
)
from ledger.core.refusals.adjusting import AdjustmentResolved as AdjustmentResolved
from ledger.core.refusals.adjusting import ApproverIsActor as ApproverIsActor
from ledger.core.refusals.adjusting import ApproverMissing as ApproverMissing
from ledger.core.refusals.adjusting import EndNotLater as EndNotLater
from ledger.core.refusals.adjusting import LotWithoutDate as LotWithoutDate
from ledger.core.refusals.adjusting import MoreThanExpired as MoreThanExpired
from ledger.core.refusals.adjusting import UnknownAdjustment as UnknownAdjustment
from ledger.core.refusals.adjusting import UnknownLot as UnknownLot
from ledger.core.refusals.base import Refusal as Refusal
from ledger.core.refusals.calls import DeadlinePassed as DeadlinePassed
from ledger.core.refusals.calls import DocumentConflict as DocumentConflict
from ledger.core.refusals.calls import HoldExists as HoldExists
from ledger.core.refusals.calls import Malformed as Malformed
from ledger.core.refusals.calls import NotServing as NotServing
from ledger.core.refusals.calls import OpeningConflict as OpeningConflict
from ledger.core.refusals.calls import Permission as Permission
from ledger.core.refusals.calls import QueueFull as QueueFull
from ledger.core.refusals.calls import RequestConflict as RequestConflict
from ledger.core.refusals.calls import Unauthenticated as Unauthenticated
from ledger.core.refusals.care import AlreadyReferred as AlreadyReferred
from ledger.core.refusals.care import IdentitiesDiffer as IdentitiesDiffer
from ledger.core.refusals.care import NoReferrals as NoReferrals
from ledger.core.refusals.care import NotErased as NotErased
from ledger.core.refusals.care import ReferralTooLate as ReferralTooLate
from ledger.core.refusals.care import SelfReferral as SelfReferral
from ledger.core.refusals.care import TooManyConsents as TooManyConsents
from ledger.core.refusals.documents import AlreadyClaimed as AlreadyClaimed
from ledger.core.refusals.documents import AlreadyTheirs as AlreadyTheirs
from ledger.core.refusals.documents import ClaimTooLate as ClaimTooLate
from ledger.core.refusals.documents import NotAReturn as NotAReturn
from ledger.core.refusals.documents import TooManyGuesses as TooManyGuesses
from ledger.core.refusals.documents import UnknownDocument as UnknownDocument
from ledger.core.refusals.documents import WrongReceiptCode as WrongReceiptCode
from ledger.core.refusals.membership import AccountClosed as AccountClosed
from ledger.core.refusals.membership import AccountErased as AccountErased
from ledger.core.refusals.membership import AccountNotEmpty as AccountNotEmpty
from ledger.core.refusals.membership import AccountSuspended as AccountSuspended
from ledger.core.refusals.membership import AlreadyMerged as AlreadyMerged
from ledger.core.refusals.membership import HoldOfBoth as HoldOfBoth
from ledger.core.refusals.membership import IdentityNotLinked as IdentityNotLinked
from ledger.core.refusals.membership import MergeIntoItself as MergeIntoItself
from ledger.core.refusals.membership import Merging as Merging
from ledger.core.refusals.membership import NotMerged as NotMerged
from ledger.core.refusals.membership import PointsInTransit as PointsInTransit
from ledger.core.refusals.membership import PointsRecalled as PointsRecalled
from ledger.core.refusals.membership import UnmergeFirst as UnmergeFirst
from ledger.core.refusals.periods import PeriodNotOver as PeriodNotOver
from ledger.core.refusals.periods import PeriodOutOfOrder as PeriodOutOfOrder
from ledger.core.refusals.periods import UnknownPeriod as UnknownPeriod
from ledger.core.refusals.points import AboveMaximum as AboveMaximum
from ledger.core.refusals.points import AtomicRefused as AtomicRefused
from ledger.core.refusals.points import BasketShareExceeded as BasketShareExceeded
from ledger.core.refusals.points import BelowMinimum as BelowMinimum
from ledger.core.refusals.points import ClawbackRefused as ClawbackRefused
from ledger.core.refusals.points import FeeNotReversible as FeeNotReversible
from ledger.core.refusals.points import HoldResolved as HoldResolved
from ledger.core.refusals.points import InsufficientPoints as InsufficientPoints
from ledger.core.refusals.points import LimitReached as LimitReached
from ledger.core.refusals.points import MoreThanHeld as MoreThanHeld
from ledger.core.refusals.points import MoreThanLeft as MoreThanLeft
from ledger.core.refusals.points import NotAStep as NotAStep
from ledger.core.refusals.points import NotForTier as NotForTier
from ledger.core.refusals.points import NoTierGranted as NoTierGranted
from ledger.core.refusals.points import NotNow as NotNow
from ledger.core.refusals.points import NotReversible as NotReversible
from ledger.core.refusals.points import PointsOverflow as PointsOverflow
from ledger.core.refusals.points import TierBelowEarned as TierBelowEarned
from ledger.core.refusals.points import TooManyLots as TooManyLots
from ledger.core.refusals.points import UnknownEntry as UnknownEntry
from ledger.core.refusals.points import UnknownHold as UnknownHold
from ledger.core.refusals.points import VelocityExceeded as VelocityExceeded
from ledger.core.refusals.policies import ApproverIsAuthor as ApproverIsAuthor
from ledger.core.refusals.policies import DraftExists as DraftExists
from ledger.core.refusals.policies import NoPolicy as NoPolicy
from ledger.core.refusals.policies import PolicyExists as PolicyExists
from ledger.core.refusals.policies import PolicyInForce as PolicyInForce
from ledger.core.refusals.policies import PolicyInvalid as PolicyInvalid
from ledger.core.refusals.policies import PolicyNotApproved as PolicyNotApproved
from ledger.core.refusals.policies import PolicyNotDrafted as PolicyNotDrafted
from ledger.core.refusals.policies import PolicyOverlaps as PolicyOverlaps
from ledger.core.refusals.policies import PolicyWithdrawn as PolicyWithdrawn
from ledger.core.refusals.policies import RetroactivePolicy as RetroactivePolicy
from ledger.core.refusals.policies import UnknownPolicy as UnknownPolicy
from ledger.core.refusals.pools import AlreadyInPool as AlreadyInPool
from ledger.core.refusals.pools import InPools as InPools
from ledger.core.refusals.pools import LastAdministrator as LastAdministrator
from ledger.core.refusals.pools import NotInPool as NotInPool
from ledger.core.refusals.pools import NotPermittedInPool as NotPermittedInPool
from ledger.core.refusals.pools import PoolFull as PoolFull
from ledger.core.refusals.pools import PoolNotOpen as PoolNotOpen
from ledger.core.refusals.pools import TooManyPools as TooManyPools
from ledger.core.refusals.pools import UnknownPool as UnknownPool
from ledger.core.refusals.transfers import AccountTooYoung as AccountTooYoung
from ledger.core.refusals.transfers import NoRelation as NoRelation
from ledger.core.refusals.transfers import TransferResolved as TransferResolved
from ledger.core.refusals.transfers import TransferWaits as TransferWaits
from ledger.core.refusals.transfers import UnknownTransfer as UnknownTransfer
from ledger.core.refusals.words import AlreadyEnrolled as AlreadyEnrolled
from ledger.core.refusals.words import AttributeType as AttributeType
from ledger.core.refusals.words import DocumentOfAnotherMember as DocumentOfAnotherMember
from ledger.core.refusals.words import ForeignCurrency as ForeignCurrency
from ledger.core.refusals.words import IdentityTaken as IdentityTaken
from ledger.core.refusals.words import OccurredInFuture as OccurredInFuture
from ledger.core.refusals.words import OpeningSourceChanged as OpeningSourceChanged
from ledger.core.refusals.words import RateMissing as RateMissing
from ledger.core.refusals.words import TooLate as TooLate
from ledger.core.refusals.words import UnknownActivity as UnknownActivity
from ledger.core.refusals.words import UnknownAttribute as UnknownAttribute
from ledger.core.refusals.words import UnknownBusinessUnit as UnknownBusinessUnit
from ledger.core.refusals.words import UnknownCategory as UnknownCategory
from ledger.core.refusals.words import UnknownConversion as UnknownConversion
from ledger.core.refusals.words import UnknownCurrency as UnknownCurrency
from ledger.core.refusals.words import UnknownFunder as UnknownFunder
from ledger.core.refusals.words import UnknownMember as UnknownMember
from ledger.core.refusals.words import UnknownMetric as UnknownMetric
from ledger.core.refusals.words import UnknownPayment as UnknownPayment
from ledger.core.refusals.words import UnknownReason as UnknownReason
from ledger.core.refusals.words import UnknownReward as UnknownReward
from ledger.core.refusals.words import UnknownSegment as UnknownSegment
from ledger.core.refusals.words import UnknownTier as UnknownTier
from ledger.core.refusals.words import unknown_identity as unknown_identity


def _of(module: ModuleType) -> list[type[Refusal]]:
    """The refusals that a module defines, in its order."""
    return [
        item
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "reason")
    ]


ALL_REFUSALS: Final[tuple[type[Refusal], ...]] = tuple(
    refusal
    for module in (
        calls,
        policies,
        words,
        membership,
        care,
        documents,
        periods,
        adjusting,
        transfers,
        pools,
        points,
    )
    for refusal in _of(module)
)
"""Every reason there is, in the order in which they are told."""
_RANKS: Final = {refusal: rank for rank, refusal in enumerate(ALL_REFUSALS)}


def comes_before(one: Refusal, other: Refusal) -> bool:
    """Whether of two faults of a request the one is told, and not the other."""
    return _RANKS[type(one)] < _RANKS[type(other)]


def is_of_words(refusal: Refusal) -> bool:
    """Whether it is told before anybody is looked up."""
    return _RANKS[type(refusal)] < _RANKS[UnknownMember]
