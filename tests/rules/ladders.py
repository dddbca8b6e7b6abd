"""Ladders and what members have, in short form for the tests of tiers."""

from typing import Any

from rules.facts import Instant
from rules.ladder import Ladder
from rules.model import Tiers
from rules.standing import Held, Standing
from rules.tier_answers import TierAnswer
from rules.zones import local_zone
from tests.rules.documents import instant


def ladder(*tiers: dict[str, Any], zone: str = "UTC", **terms: object) -> Ladder:
    """Compile a ladder above the lowest tier `base`."""
    steps = [{"id": "base"}, *tiers]
    return Ladder(Tiers.model_validate({"ladder": steps, **terms}), local_zone(zone))


def tier(name: str, *reach: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    """A tier that any of the lists reaches."""
    return {"id": name, "reach_any": list(reach), **more}


def need(metric: str, at_least: int, **more: object) -> dict[str, Any]:
    """A need."""
    return {"metric": metric, "at_least": at_least, **more}


def points(at_least: int, currency: str = "qp", **more: object) -> dict[str, Any]:
    """A need of qualifying points."""
    return need("qualifying_points", at_least, currency=currency, **more)


def standing(
    *spans: Held,
    qp: dict[str, int] | None = None,
    since: str | None = None,
    **metrics: dict[str, int] | int,
) -> Standing:
    """What a member has: `nights=9` in 2025, or by window; `spend` is at unit `a` in USD."""
    counted: dict[tuple[str, str, str], int] = {}
    for name, amounts in metrics.items():
        by_window = amounts if isinstance(amounts, dict) else {"2025": amounts}
        scope = "a/USD" if name == "spend" else "a"
        for window, amount in by_window.items():
            counted[f"metric/{name}", scope, window] = amount
    qualifying = {("qp", window): amount for window, amount in (qp or {}).items()}
    return Standing(qualifying, counted, None if since is None else instant(since), spans)


def at(day: str) -> Instant:
    """Noon of a day, UTC."""
    return instant(f"{day}T12:00:00Z")


def midnight(day: str) -> Instant:
    """The first instant of a day, UTC."""
    return instant(f"{day}T00:00:00Z")


def held(name: str, since: str, until: str | None, window: str = "", **more: Any) -> Held:
    """A tier held from a day on until the start of another."""
    valid_until = None if until is None else midnight(until)
    return Held(name, midnight(since), valid_until, window=window, **more)


def asked(answer: TierAnswer) -> tuple[str | None, Instant | None]:
    """Tier and end."""
    return answer.tier, answer.valid_until


STARBUCKS = ladder(
    tier("gold", [points(50_000)]), window="rolling_months", window_months=12, valid={"months": 12}
)
