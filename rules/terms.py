"""The compiled nouns of a policy: point currencies, business units, categories."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from rules.ladder import Ladder
from rules.lot_terms import ExpiryRule
from rules.model import BusinessUnit, PolicyModel
from rules.refusal import RulesRefusal
from rules.zones import LocalZone, local_zone


@dataclass(frozen=True, slots=True)
class CurrencyTerms:
    """A point currency: points are whole numbers of its smallest unit, 10 ** -scale of a point."""

    id: str
    scale: int
    role: str
    rounding_mode: str
    rounding_at: str
    expiry: str | None
    pending_days: int
    draw_first: tuple[str, ...]

    @property
    def qualifying(self) -> bool:
        """Whether its points count for a tier and cannot be spent."""
        return self.role == "tier_qualifying"


@dataclass(frozen=True, slots=True)
class UnitTerms:
    """A business unit. `point_value` is minor units of its money per smallest unit of points.

    `net_of` are the parts of a line that earn nothing; with `leaves_points_out`, so is what was
    paid with points. `funder` is who pays for what is earned here.
    """

    id: str
    zone: str
    currency_code: str
    point_value: Mapping[str, Fraction]
    local: LocalZone
    net_of: frozenset[str]
    leaves_points_out: bool
    funder: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules of a policy refer to, by id.

    With `counts_by_day` the ladder counts by the local day, not by the calendar year. With
    `pins_member_since` something counts from the day of enrolment.
    """

    zone: LocalZone
    currencies: Mapping[str, CurrencyTerms]
    units: Mapping[str, UnitTerms]
    categories: Mapping[str, bool]
    unlisted_earn: bool
    expiries: Mapping[str, ExpiryRule]
    lowest_tier: str | None
    ladder: Ladder | None
    counts_by_day: bool
    pins_member_since: bool

    def unit(self, business_unit: str) -> UnitTerms:
        """Find a business unit; RulesRefusal UNKNOWN_BUSINESS_UNIT names the known ones."""
        unit = self.units.get(business_unit)
        if unit is None:
            raise RulesRefusal(
                "UNKNOWN_BUSINESS_UNIT", path="business_unit", value=business_unit, known=self.units
            )
        return unit

    def earns(self, category: str) -> bool:
        """Say whether a category earns, as its nearest listed ancestor does.

        RulesRefusal UNKNOWN_CATEGORY when neither it nor an ancestor is listed and the policy
        lists its categories.
        """
        listed = self.listed(category)
        if listed is not None:
            return self.categories[listed]
        if self.unlisted_earn:
            return True
        known = self.categories
        raise RulesRefusal("UNKNOWN_CATEGORY", path="category", value=category, known=known)

    def listed(self, category: str) -> str | None:
        """Find the category itself, or its nearest ancestor, in the policy's list."""
        while category not in self.categories:
            category, slash, _ = category.rpartition("/")
            if not slash:
                return None
        return category


def compile_terms(model: PolicyModel) -> Terms:
    """Look every noun of a checked document up by its id."""
    zone = local_zone(model.zone)
    currencies = {
        entry.id: CurrencyTerms(
            entry.id,
            entry.scale,
            entry.role,
            entry.rounding.mode,
            entry.rounding.at,
            entry.expiry,
            entry.pending_days,
            entry.draw_first,
        )
        for entry in model.currencies
    }
    spendable = [name for name, terms in currencies.items() if terms.role == "spendable"]
    window = model.tiers.window if model.tiers else "calendar_year"
    expiries = {e.id: ExpiryRule(e, zone) for e in model.expiries}
    return Terms(
        zone=zone,
        currencies=MappingProxyType(currencies),
        units=MappingProxyType({u.id: _unit(u, spendable) for u in model.business_units}),
        categories=MappingProxyType({c.id: c.earns for c in model.categories}),
        unlisted_earn=model.unlisted_categories == "earn",
        expiries=MappingProxyType(expiries),
        lowest_tier=model.tiers.ladder[0].id if model.tiers else None,
        ladder=Ladder(model.tiers, zone) if model.tiers else None,
        counts_by_day=window != "calendar_year",
        pins_member_since=window == "membership_year"
        or any(expiry.needs_member_since for expiry in expiries.values()),
    )


def _unit(entry: BusinessUnit, spendable: list[str]) -> UnitTerms:
    value = entry.point_value.minor(entry.currency) if entry.point_value else None
    values = {} if value is None else dict.fromkeys(spendable, value)
    return UnitTerms(
        entry.id,
        entry.zone,
        entry.currency,
        MappingProxyType(values),
        local_zone(entry.zone),
        net_of=frozenset[str](entry.net_of),
        leaves_points_out="points_tender" in entry.net_of,
        funder=entry.funder or entry.id,
    )
