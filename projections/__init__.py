"""The read side: every answer that follows the log. PROJECTIONS lists them, in full."""

from typing import Final

from projections.adjustments import ADJUSTMENTS
from projections.balances import BALANCES
from projections.dated_draws import DATED_DRAWS
from projections.due import DUE
from projections.lots import LOTS
from projections.projection import Projection
from projections.settlement import SETTLEMENT
from projections.tiers import TIERS
from projections.transfers import TRANSFERS
from projections.unclaimed import UNCLAIMED
from projections.unit_totals import UNIT_TOTALS

PROJECTIONS: Final[tuple[Projection, ...]] = (
    BALANCES,
    TIERS,
    UNIT_TOTALS,
    SETTLEMENT,
    DUE,
    TRANSFERS,
    ADJUSTMENTS,
    UNCLAIMED,
    DATED_DRAWS,
    LOTS,
)
