"""What may be asked of an account: imperative, complete, decided without looking anything up.

The shell has resolved the member, minted the entry id, loaded the history a command needs, and
asked the rules; what they answered stands in the command.
"""

from dataclasses import dataclass

from ledger.core.commands.adjusting import AdjustmentTerms as AdjustmentTerms
from ledger.core.commands.adjusting import AdjustPoints as AdjustPoints
from ledger.core.commands.adjusting import ApproveAdjustment as ApproveAdjustment
from ledger.core.commands.adjusting import ExtendLot as ExtendLot
from ledger.core.commands.adjusting import ProposalFact as ProposalFact
from ledger.core.commands.adjusting import RejectAdjustment as RejectAdjustment
from ledger.core.commands.award import ARREARS as ARREARS
from ledger.core.commands.award import NO_COUNTS as NO_COUNTS
from ledger.core.commands.award import BenefitGrant as BenefitGrant
from ledger.core.commands.award import Counts as Counts
from ledger.core.commands.award import Grant as Grant
from ledger.core.commands.award import Life as Life
from ledger.core.commands.award import Numbered as Numbered
from ledger.core.commands.award import RefundTerms as RefundTerms
from ledger.core.commands.award import Use as Use
from ledger.core.commands.documents import LeaveDocument as LeaveDocument
from ledger.core.commands.documents import PostDocument as PostDocument
from ledger.core.commands.erasing import EraseMember as EraseMember
from ledger.core.commands.members import ChangeMembership as ChangeMembership
from ledger.core.commands.members import ChangeProfile as ChangeProfile
from ledger.core.commands.members import EnrolMember as EnrolMember
from ledger.core.commands.members import GrantTier as GrantTier
from ledger.core.commands.members import LinkIdentity as LinkIdentity
from ledger.core.commands.members import UnlinkIdentity as UnlinkIdentity
from ledger.core.commands.merging import BeginMerge as BeginMerge
from ledger.core.commands.merging import ContinueMerge as ContinueMerge
from ledger.core.commands.merging import Rank as Rank
from ledger.core.commands.openings import RecordOpening as RecordOpening
from ledger.core.commands.pools import AddPoolMember as AddPoolMember
from ledger.core.commands.pools import ClosePool as ClosePool
from ledger.core.commands.pools import CreatePool as CreatePool
from ledger.core.commands.pools import JoinPool as JoinPool
from ledger.core.commands.pools import LeavePool as LeavePool
from ledger.core.commands.pools import RemovePoolMember as RemovePoolMember
from ledger.core.commands.pools import SetPoolPermissions as SetPoolPermissions
from ledger.core.commands.questions import LotEnds as LotEnds
from ledger.core.commands.questions import Occasion as Occasion
from ledger.core.commands.questions import TierAnswer as TierAnswer
from ledger.core.commands.questions import TierLadder as TierLadder
from ledger.core.commands.questions import TierVerdict as TierVerdict
from ledger.core.commands.recalling import NOTHING_SPENT as NOTHING_SPENT
from ledger.core.commands.recalling import LotSpent as LotSpent
from ledger.core.commands.recalling import RecallPoints as RecallPoints
from ledger.core.commands.referring import CreateReferral as CreateReferral
from ledger.core.commands.spending import BurnFact as BurnFact
from ledger.core.commands.spending import BurnPoints as BurnPoints
from ledger.core.commands.spending import CaptureHold as CaptureHold
from ledger.core.commands.spending import HoldFact as HoldFact
from ledger.core.commands.spending import HoldPoints as HoldPoints
from ledger.core.commands.spending import PeriodLimit as PeriodLimit
from ledger.core.commands.spending import RedemptionTerms as RedemptionTerms
from ledger.core.commands.spending import ReleaseHold as ReleaseHold
from ledger.core.commands.spending import ReverseEntry as ReverseEntry
from ledger.core.commands.transfers import NO_TERMS as NO_TERMS
from ledger.core.commands.transfers import CompleteTransfer as CompleteTransfer
from ledger.core.commands.transfers import ConvertPoints as ConvertPoints
from ledger.core.commands.transfers import ReceivePoints as ReceivePoints
from ledger.core.commands.transfers import ReturnPoints as ReturnPoints
from ledger.core.commands.transfers import SendPoints as SendPoints
from ledger.core.commands.transfers import TransferTerms as TransferTerms
from ledger.core.commands.velocity import Speed as Speed
from ledger.core.commands.velocity import SpeedLimit as SpeedLimit


@dataclass(frozen=True, slots=True)
class AdvanceAccount:
    """Record what is due, and nothing else."""


Command = (
    EraseMember
    | CreateReferral
    | EnrolMember
    | LinkIdentity
    | UnlinkIdentity
    | PostDocument
    | LeaveDocument
    | BurnPoints
    | HoldPoints
    | CaptureHold
    | ReleaseHold
    | ReverseEntry
    | SendPoints
    | ReceivePoints
    | CompleteTransfer
    | ReturnPoints
    | ConvertPoints
    | GrantTier
    | ChangeProfile
    | ChangeMembership
    | AdjustPoints
    | ApproveAdjustment
    | RejectAdjustment
    | RecordOpening
    | ExtendLot
    | RecallPoints
    | CreatePool
    | AddPoolMember
    | RemovePoolMember
    | SetPoolPermissions
    | ClosePool
    | JoinPool
    | LeavePool
    | AdvanceAccount
)
