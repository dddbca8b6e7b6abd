"""The published cases as they are kept, and the policies that they are asked of."""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rules import Instant, Policy, compile_policy, load
from rules.values import micros
from rules.zones import DAY, HOUR, date_of, day_number
from tests.rules.documents import instant

HERE = Path(__file__).parent
FILES = {
    "MB": ("marriott",),
    "HY": ("hyatt",),
    "SL": ("shangri_la",),
    "SB": ("starbucks_v1", "starbucks_v2"),
    "SE": ("sephora_v2018", "sephora_v2021"),
    "TC": ("tesco",),
    "PB": ("payback",),
}
"""The policies of each programme by the letters of its cases, oldest first."""
_WORDS = frozenset({"id", "programme", "given", "expected", "because", "tag", "assumes", "open"})
"""Keys of a case that are for its readers."""
_GIVENS = """
attribute at balance bills birthday_month campaign category checkout coupon_multiplier date
enrolled_on events inactive_months issued_at last_earn_months_ago lines lot_age_months lot_credited
lot_earned metrics nights op partner points rates reached_on received_this_year redeemed_at
sent_this_year spend_date statement_points steps tasks tender tenders tier used_on version voucher
voucher_issued year_spend_before
"""
"""Keys that the questions look at, so that no case is asked without something it says."""
_DAYS = ("date", "lot_earned", "lot_credited", "reached_on", "checkout", "spend_date")
"""Keys that say on which day it happens."""

Json = dict[str, Any]


class Trial(NamedTuple):
    """One question of a case, the policy that answers it, and what must come of it."""

    case: str
    policy: Policy
    given: Json
    day: date
    expect: Json
    choice: str
    """What the policy chooses, where the case is left open."""

    @property
    def programme(self) -> str:
        """The letters of the programme."""
        return self.case[:2]

    @property
    def at(self) -> Instant:
        """Noon of its day."""
        return noon(self.policy, self.day)


def cases(folder: Path) -> dict[str, Json]:
    """Read the published cases, by id."""
    text = (folder / "programmes" / "cases.json").read_text(encoding="utf-8")
    return {case["id"]: case for case in json.loads(text)}


def trials(case: Json) -> Iterator[Trial]:
    """Give every variant of a case, or every alternative under the policy that chooses it."""
    shared = {key: value for key, value in case.items() if key not in _WORDS}
    variants = shared.pop("variants", [{}])
    alternatives = shared.pop("alternatives", [])
    expect = shared.pop("expect", {})
    for variant in variants:
        yield from _of_variant(case["id"], shared | variant, expect, alternatives)


def _of_variant(case: str, given: Json, expect: Json, alternatives: list[Json]) -> Iterator[Trial]:
    given = dict(given)
    # What is given in parts is looked at as a whole; no case says the same key twice.
    given |= given.pop("input", {})
    expect = given.pop("expect", expect)
    assert given.keys() <= set(_GIVENS.split()), f"{case} says more than is looked at"
    chosen = choices()[case] if alternatives else [{"says": "", "set": {}}]
    for choice, alternative in zip(chosen, alternatives or [{}], strict=True):
        policy, day = _policy_and_day(case[:2], given, choice["set"])
        wanted = expect | alternative.get("expect", {})
        if "rule" in alternative:
            wanted |= {"rule": alternative["rule"]}
        assert wanted, f"{case} expects nothing"
        yield Trial(case, policy, given, day, wanted, choice["says"])


@cache
def choices() -> Mapping[str, list[Json]]:
    """Read what policies choose where a case is left open."""
    text = (HERE / "alternatives.yaml").read_text(encoding="utf-8")
    found: dict[str, list[Json]] = yaml.load(text, Loader=yaml.BaseLoader)
    return found


def _policy_and_day(programme: str, given: Json, changes: Json) -> tuple[Policy, date]:
    """Find the version that a case names or that was in force on its day, else the newest."""
    said = next((given[key] for key in _DAYS if key in given), None)
    versions = [chosen(name, **changes) for name in FILES[programme]]
    if "version" in given:
        names = [name.rpartition("_")[2] for name in FILES[programme]]
        policy = versions[names.index(given["version"])]
    elif said is None:
        policy = versions[-1]
    else:
        at = instant(f"{said}T12:00:00Z")
        policy = [version for version in versions if version.effective_from <= at][-1]
    if said is not None:
        return policy, date.fromisoformat(said)
    # Any day would do; a month later nothing else begins or ends.
    return policy, local_day(policy, micros(policy.model.effective_from)) + timedelta(days=31)


def source(name: str) -> str:
    """Read a policy file."""
    return (HERE / f"{name}.yaml").read_text(encoding="utf-8")


def chosen(name: str, **changes: Any) -> Policy:
    """Compile a policy; `changes` replace what stands at a path like earn/base/rate."""
    if not changes:
        return _compiled(name)
    tree = yaml.load(source(name), Loader=yaml.BaseLoader)
    for path, value in changes.items():
        _put(tree, path.split("/"), value)
    return compile_policy(load(json.dumps(tree)))


@cache
def _compiled(name: str) -> Policy:
    return compile_policy(load(source(name)))


def _put(part: Any, steps: list[str], value: Any) -> None:
    """Replace a value; entries of lists go by their ids. An older version may lack the entry."""
    *within, key = steps
    for step in within:
        entries = {entry["id"]: entry for entry in part} if isinstance(part, list) else part
        if step not in entries:
            return
        part = entries[step]
    part[key] = value


def noon(policy: Policy, day: date) -> Instant:
    """Noon of a day, as the programme reckons days."""
    return policy.terms.zone.instant(day_number(day) * DAY + 12 * HOUR)


def local_day(policy: Policy, at: Instant) -> date:
    """The day of an instant, as the programme reckons days."""
    return date_of(policy.terms.zone.wall(at) // DAY)
