"""Reads the author's guide: its examples as policies, and what it says they give as claims.

The first `yaml` block is a whole policy, and each later one is added to it: lists grow, an entry
with a known id takes its place, everything else is replaced. Comments with an arrow are claims:
what happens, and what comes of it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from rules import (
    Award,
    CapKey,
    CounterKey,
    DocumentFacts,
    Held,
    Instant,
    LineFacts,
    MemberFacts,
    Policy,
    RulesRefusal,
    Standing,
    TransferFacts,
    Wish,
    adjustment,
    compile_policy,
    convert,
    evaluate,
    hold_terms,
    load,
    most_redeemable,
    points_for_money,
    pro_rata,
    redemption,
    reward,
    tier_for,
    transfer,
)
from rules.zones import HOUR
from tests.rules.documents import instant

ARROW = " → "
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = "2026-06-15"
_BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_LINE = re.compile(
    r"(?P<category>[a-z_/]+) (?P<net>-?\d+\.\d\d)(?: x (?P<quantity>\d+))?(?: of (?P<brand>\w+))?"
    r"(?: with (?P<part>tax|discount|shipping|service_charge) (?P<amount>\d+\.\d\d))?"
    r"(?: less (?P<paid>\d+\.\d\d) in points)?"
)


@dataclass(frozen=True)
class Claim:
    """A line of the guide: the policy it is about, what happens, and what it says comes of it."""

    policy: str
    happens: str
    gives: str


def claims(guide: Path) -> Iterator[Claim]:
    """Every claim of a guide, in order."""
    for policy, body in _examples(guide):
        for line in body.splitlines():
            happens, arrow, gives = line.partition(ARROW)
            if arrow and line.startswith("# "):
                yield Claim(policy, re.sub(r"\s+", " ", happens[2:].strip()), gives.strip())


def policies(guide: Path) -> Iterator[str]:
    """Every policy that a guide shows."""
    for policy, _ in _examples(guide):
        yield policy


def blocks(guide: Path) -> list[str]:
    """The text of every example, in order."""
    return _BLOCK.findall(guide.read_text(encoding="utf-8"))


def _examples(guide: Path) -> Iterator[tuple[str, str]]:
    first: dict[str, Any] = {}
    for body in blocks(guide):
        tree = yaml.load(body, Loader=yaml.BaseLoader)
        first = first or tree
        yield yaml.safe_dump(tree if tree is first else added(first, tree)), body


def added(first: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    whole = dict(first)
    for key, value in example.items():
        before = whole.get(key)
        if isinstance(value, list) and isinstance(before, list):
            ids = [entry["id"] if isinstance(entry, dict) else entry for entry in value]
            kept = [e for e in before if (e["id"] if isinstance(e, dict) else e) not in ids]
            value = [*kept, *value]
        whole[key] = value
    return whole


def outcome(claim: Claim) -> str:
    """What really comes of it, in the words of the guide."""
    policy = compile_policy(load(claim.policy))
    word, _, rest = claim.happens.partition(" ")
    try:
        match word:
            case "balance" | "pay" | "reward":
                return _burned(policy, word, rest)
            case "has" | "holds":
                return _tier(policy, claim.happens)
            case "hold":
                return _held(policy, rest.removeprefix("at "))
            case "adjust":
                return _adjusted(policy, rest)
            case "transfer":
                return _transferred(policy, int(rest))
            case "convert":
                name, points = rest.split()
                done = convert(policy, name, int(points), at=instant(f"{MONDAY}T12:00:00Z"))
                return f"{done.received} {done.into}"
            case _:
                return _earned(policy, claim.happens, with_dates=" until " in claim.gives)
    except RulesRefusal as refusal:
        return f"refused {refusal.reason}"


def _held(policy: Policy, unit: str) -> str:
    terms = hold_terms(policy, unit)
    live = "expire in their time" if terms.points_expire else "live"
    return f"{(terms.lasts or 0) // HOUR} hours, its points {live}"


# --- documents ---------------------------------------------------------------------------


class _Room:
    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.numbers: dict[str, int] = {}

    def used(self, cap: CapKey) -> int:
        return self.taken.get(cap.name, 0)

    def had(self, cap: CapKey) -> int:
        return 0

    def number(self, counter: CounterKey) -> int:
        return self.numbers.get(counter.counter, 99)


class _Told:
    """A document as a claim tells it: phrases with commas between them."""

    def __init__(self, policy: Policy, text: str) -> None:
        self.room = _Room()
        self.lines: list[LineFacts] = []
        self.document: dict[str, Any] = {"unit": _first_unit(policy)}
        self.member: dict[str, Any] = {}
        self.at = f"{MONDAY} 12:00"
        for phrase in text.split(", "):
            self._read(phrase)

    def _read(self, phrase: str) -> None:
        line = _LINE.fullmatch(phrase)
        if line:
            self.lines.append(_line(f"{len(self.lines) + 1}", line))
            return
        word, _, rest = phrase.partition(" ")
        known = self._of_time(word, rest) or self._of_member(word, rest)
        if not known and not self._of_document(word, rest):
            raise AssertionError(f"nobody knows what {phrase!r} means")

    def _of_time(self, word: str, rest: str) -> bool:
        """`on 2026-06-15`, with or without a time; what others used; the number in a counter."""
        if word == "on":
            self.at = rest if " " in rest else f"{rest} 12:00"
        elif word in ("used", "number"):
            name, number = rest.split(" ")
            (self.room.taken if word == "used" else self.room.numbers)[name] = int(number)
        return word in ("on", "used", "number")

    def _of_member(self, word: str, rest: str) -> bool:
        match word:
            case "tier":
                self.member["tier"] = rest
            case "member":
                self.member["member_id"] = rest
            case "claimed":
                self.member["claimed_at"] = _berlin(f"{rest} 12:00")
            case "born":
                self.member["birthday"] = (int(rest[:2]), int(rest[3:]))
            case "segment":
                self.member["segments"] = frozenset((rest,))
            case "children":
                self.member["attributes"] = {"children": int(rest)}
            case _:
                return False
        return True

    def _of_document(self, word: str, rest: str) -> bool:
        match word:
            case "paid":
                self.document["payments"] = _payments(rest)
            case "rate":
                code, rate = rest.split(" ")
                self.document["rates"] = ((code, Fraction(rate)),)
            case "coupon":
                self.document["coupons"] = (rest,)
            case "activity":
                self.document |= {"kind": "ACTIVITY", "activity": rest}
            case "at" | "channel":
                self.document["unit" if word == "at" else word] = rest
            case _:
                return False
        return True

    def facts(self, policy: Policy) -> DocumentFacts:
        given = dict(self.document)
        unit = given.pop("unit")
        return DocumentFacts(
            business_unit=unit,
            channel=given.pop("channel", "till"),
            store="1",
            kind=given.pop("kind", "SALE"),
            status="FINAL",
            currency_code=policy.terms.unit(unit).currency_code,
            occurred_at=_berlin(self.at),
            lines=tuple(self.lines),
            **given,
        )


def _payments(text: str) -> tuple[tuple[str, int], ...]:
    pairs = (one.split(" ") for one in text.split(" and "))
    return tuple((kind, _minor(amount)) for kind, amount in pairs)


def _first_unit(policy: Policy) -> str:
    return next(iter(policy.units))


def _line(line_id: str, found: re.Match[str]) -> LineFacts:
    part, amount = found["part"], found["amount"]
    return LineFacts(
        line_id,
        found["category"],
        Fraction(found["quantity"] or 1),
        _minor(found["net"]),
        _minor(found["paid"] or "0"),
        found["brand"] or "",
        parts=((part, _minor(amount)),) if part else (),
    )


def _minor(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def _berlin(text: str) -> Instant:
    return instant(datetime.fromisoformat(text).replace(tzinfo=BERLIN).isoformat())


def _earned(policy: Policy, happens: str, *, with_dates: bool) -> str:
    first, _, later = happens.partition(", then ")
    told = _Told(policy, first)
    document, member = told.facts(policy), MemberFacts(**told.member)
    award = evaluate(policy, document, member, None, told.room)
    if later:
        left = document._replace(lines=tuple(_Told(policy, later).lines))
        kept = None
        if policy.model.refunds.clawback == "pro_rata_by_line":
            kept = pro_rata(policy, first=document, award=award, now=left)
        award = kept or evaluate(policy, left, member, award.pins, told.room)
    return ", ".join(_in_words(award, with_dates=with_dates)) or "nothing"


def _in_words(award: Award, *, with_dates: bool) -> Iterator[str]:
    for grant in award.grants:
        ends = f" until {_last_day(grant.expires_at)}" if with_dates else ""
        yield f"{grant.rule} {grant.granted}{ends}"
    for benefit in award.benefits:
        ends = f" until {_last_day(benefit.expires_at)}" if with_dates else ""
        yield f"{benefit.benefit} x {benefit.quantity}{ends}"


def _last_day(ends_at: Instant | None) -> str:
    if ends_at is None:
        return "ever"
    moment = datetime.fromtimestamp(ends_at // 1_000_000, BERLIN) - timedelta(seconds=1)
    return moment.date().isoformat()


# --- burns, tiers, transfers -------------------------------------------------------------


def _burned(policy: Policy, word: str, rest: str) -> str:
    at = _berlin(f"{MONDAY} 12:00")
    unit = _first_unit(policy)
    if word == "reward":
        name, _, tier = rest.partition(", tier ")
        terms = reward(policy, name, business_unit=unit, tier=tier or None, at=at)
        return f"{terms.points} {terms.currency}"
    paying = redemption(policy, business_unit=unit, currency="point", tier=None, at=at)
    if word == "pay":
        return f"{points_for_money(paying, _minor(rest))} point"
    balance, _, basket = rest.partition(", basket ")
    most = most_redeemable(paying, int(balance), _minor(basket) if basket else None)
    return f"at most {most} point"


def _tier(policy: Policy, happens: str) -> str:
    """Read `has 600 status, 12 visits`, all in 2026; `holds gold until` is asked when that ends."""
    qualifying: dict[tuple[str, str], int] = {}
    metrics: dict[tuple[str, str, str], int] = {}
    spans: tuple[Held, ...] = ()
    unit, at = _first_unit(policy), _berlin(f"{MONDAY} 12:00")
    for phrase in happens.split(", "):
        word, *rest = phrase.removeprefix("has ").split(" ")
        if word == "holds":
            at = _berlin(f"{rest[2]} 00:00") + 86_400_000_000
            spans = (Held(rest[0], _berlin("2025-03-01 12:00"), at, window="2025"),)
        elif rest[0] in policy.currencies:
            qualifying[rest[0], "2026"] = int(word)
        elif rest[0] == "EUR":
            metrics["metric/spend", f"{unit}/EUR", "2026"] = _minor(word)
        else:
            metrics[f"metric/{rest[0]}", unit, "2026"] = int(word)
    standing = Standing(qualifying, metrics, _berlin("2025-01-01 12:00"), spans)
    found = tier_for(policy, standing=standing, at=at)
    assert found is not None, "the policy has tiers"
    return f"{found.tier} until {_last_day(found.valid_until)}"


def _adjusted(policy: Policy, rest: str) -> str:
    points, _, reason = rest.partition(" for ")
    unit, at = _first_unit(policy), _berlin(f"{MONDAY} 12:00")
    terms = adjustment(policy, Wish(reason, unit, "point", int(points), at))
    if abs(int(points)) > terms.points_alone:
        return "two people"
    return f"one person until {_last_day(terms.expires_at)}" if int(points) > 0 else "one person"


def _transferred(policy: Policy, points: int) -> str:
    facts = TransferFacts(
        currency="point",
        points=points,
        at=_berlin(f"{MONDAY} 12:00"),
        sender_since=_berlin("2025-01-01 12:00"),
        receiver_since=_berlin("2025-01-01 12:00"),
    )
    found = transfer(policy, facts)
    return f"{found.points} and a fee of {found.fee}"
