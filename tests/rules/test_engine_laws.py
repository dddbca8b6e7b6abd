"""Laws of the whole engine: stacking, caps, line order, splitting, hash seeds."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import (
    CapKey,
    CounterKey,
    DocumentFacts,
    LineFacts,
    MemberFacts,
    RecordedRoom,
    evaluate,
    explain,
    pin,
)
from tests.rules.documents import HEAD, document, policy

ROOT = Path(__file__).resolve().parents[2]

RICH = (
    HEAD
    + """
currencies:
  - {id: p, role: spendable, rounding: {at: transaction, mode: half_up}}
  - {id: q, role: spendable, rounding: {at: line, mode: half_even}}
  - {id: s, role: stamp}
business_units: [{id: a, zone: Europe/Berlin, currency: EUR}]
segments: [vip]
payments: [card, wallet]
counters: [{id: visit, period: local_month}]
campaigns: [{id: camp, holdout: "10%", budgets: [{currency: p, points: 500}]}]
caps: [{id: all, currency: p, window: local_day, points: 800}]
groups:
  - {id: sum, combine: add_excess, max_factor: 3}
  - {id: product, combine: product}
  - {id: best, excludes: [sum]}
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00"}}
  - {kind: base, id: room, currency: p, priority: 5, rate: {points: 3, per: "2.00"}, when: {category: [room, room/*]}}
  - {kind: base, id: litre, currency: p, priority: 5, rate: {points: 3, per_quantity: 2}, when: {category: [fuel]}}
  - {kind: base, id: wallet, currency: q, rate: {points: 1, per: "1.00"}, paid_share: true, when: {payment: [wallet]}}
  - {kind: multiplier, id: vip, currency: p, factor: 2, group: sum, when: {segment_any: [vip]}}
  - {kind: multiplier, id: brand, currency: p, factor: "1.75", group: sum, when: {brand: [acme]}}
  - {kind: multiplier, id: app, currency: p, factor: "4/3", group: product, on: rounded, when: {channel: [app]}}
  - {kind: multiplier, id: nights, currency: p, factor: "1.5", group: product, when: {nights_min: 2}}
  - {kind: multiplier, id: wine, currency: p, factor: 4, group: best, when: {category: [wine]}}
  - {kind: multiplier, id: q2, currency: q, factor: "1.2", group: sum}
  - {kind: bonus, id: camp, currency: p, campaign: camp, points: 30, when: {basket_min: "20.00"}, caps: [{window: local_day, points: 50}]}
  - {kind: bonus, id: stamp, currency: s, points: 1, per: unit, when: {category: [coffee]}}
  - {kind: bonus, id: third, currency: p, points: 9, when: {counter: [{counter: visit, every: 3}]}}
  - {kind: bonus, id: hour, currency: p, points: 2, when: {expr: "tx.local_hour < 20 && lines.exists(l, l.net > 0)"}}
"""  # noqa: E501 - one rule a line
)
COMPILED = policy(RICH)
few = settings(max_examples=80, deadline=None)

lines = st.builds(
    lambda category, brand, net, tenths: LineFacts(
        "", category, Fraction(tenths, 10), net, 0, brand
    ),
    st.sampled_from(("food", "room", "fuel", "wine", "coffee", "gift_card")),
    st.sampled_from(("", "acme")),
    st.integers(-500, 8000),
    st.integers(1, 50),
)


def sale(found: list[LineFacts], channel: str, nights: int, wallet: int) -> DocumentFacts:
    return document((), channel=channel)._replace(
        lines=tuple(line._replace(line_id=str(n)) for n, line in enumerate(found)),
        nights=nights,
        payments=(("card", 3000), ("wallet", wallet)),
    )


documents = st.builds(
    sale,
    st.lists(lines, max_size=5),
    st.sampled_from(("pos", "app")),
    st.integers(0, 3),
    st.integers(0, 3000),
)
members = st.builds(
    lambda vip, name: MemberFacts(segments=frozenset(("vip",) if vip else ()), member_id=name),
    st.booleans(),
    st.sampled_from(("m1", "m2", "m3", "m17")),
)


@few
@given(documents, members, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(
    facts: DocumentFacts, member: MemberFacts, random: Random
) -> None:
    shuffled = list(facts.lines)
    random.shuffle(shuffled)
    again = facts._replace(lines=tuple(shuffled))
    assert evaluate(COMPILED, facts, member) == evaluate(COMPILED, again, member)


@few
@given(documents, members)
def test_an_award_evaluates_to_itself_with_the_room_it_saw(
    facts: DocumentFacts, member: MemberFacts
) -> None:
    room = RecordedRoom({CapKey("cap/all", "member", "2025-03-01"): 700}, {("visit", "2025-03"): 6})
    award = evaluate(COMPILED, facts, member, room=room)
    seen = RecordedRoom(
        {use.cap: use.others for use in award.uses},
        {(one.counter.counter, one.counter.period): one.number for one in award.numbers},
    )
    assert evaluate(COMPILED, facts, MemberFacts(), award.pins, seen) == award
    assert award.pins == pin(COMPILED, facts, member)


class Ledger:
    """A naive ledger: it adds up what it is told, and numbers what comes."""

    def __init__(self) -> None:
        self.taken: dict[CapKey, int] = {}
        self.visits = 0

    def used(self, cap: CapKey) -> int:
        return self.taken.get(cap, 0)

    def had(self, cap: CapKey) -> int:
        return 0

    def number(self, counter: CounterKey) -> int:
        return self.visits + 1


@few
@given(st.lists(documents, max_size=12), members)
def test_caps_are_never_exceeded_and_account_for_every_point(
    found: list[DocumentFacts], member: MemberFacts
) -> None:
    ledger, limits = Ledger(), {"cap/all": 800, "cap/camp.1": 50, "budget/camp/p": 500}
    given_points = 0
    for facts in found:
        award = evaluate(COMPILED, facts, member, room=ledger)
        for use in award.uses:
            assert use.others == ledger.used(use.cap)
            ledger.taken[use.cap] = use.others + use.points
        ledger.visits += len(award.numbers)
        given_points += sum(grant.granted for grant in award.grants if grant.currency == "p")
        assert all(0 < grant.granted <= grant.wanted for grant in award.grants)
        assert all((g.granted < g.wanted) == (g.cut_by != "") for g in award.grants)
    assert all(taken <= limits[cap.name] for cap, taken in ledger.taken.items())
    of_all = [taken for cap, taken in ledger.taken.items() if cap.name == "cap/all"]
    assert sum(of_all) == given_points


@few
@given(documents, members, st.integers(0, 4), st.integers(1, 99))
def test_a_line_in_two_parts_earns_what_it_earns_whole(
    facts: DocumentFacts, member: MemberFacts, which: int, percent: int
) -> None:
    """Where nothing is rounded line by line, and of one kind nothing is counted by the line."""
    if which >= len(facts.lines):
        return
    line = facts.lines[which]
    part = line.net_minor * percent // 100
    if 0 in (part, line.net_minor - part) or line.category == "fuel":
        return
    halves = (
        line._replace(net_minor=part, quantity=line.quantity / 2, line_id="x"),
        line._replace(net_minor=line.net_minor - part, quantity=line.quantity / 2, line_id="y"),
    )
    divided = facts._replace(lines=(*facts.lines[:which], *halves, *facts.lines[which + 1 :]))
    for currency in ("p", "s"):
        whole, parts = (
            {
                g.rule: g.granted
                for g in evaluate(COMPILED, one, member).grants
                if g.currency == currency
            }
            for one in (facts, divided)
        )
        assert whole == parts


@few
@given(documents, members)
def test_what_lines_give_adds_up_to_what_a_rule_gives(
    facts: DocumentFacts, member: MemberFacts
) -> None:
    why = explain(COMPILED, facts, member)
    for row in why.rows:
        if row.lines and "at line" not in row.rounding and "of rounded" not in row.rounding:
            assert sum(share.exact for share in row.lines) == row.exact
        if row.currency == "s":
            assert row.wanted == int(row.exact)
    assert {row.rule for row in why.rows}.isdisjoint(skip.rule for skip in why.skipped)


_PROGRAM = """
from fractions import Fraction
from rules import LineFacts, MemberFacts, evaluate, explain
from rules.words import in_words
from tests.rules.documents import document
from tests.rules.test_engine_laws import COMPILED, sale
found = [LineFacts("", category, Fraction(7, 2), net, 0, brand) for category, net, brand in (
    ("room", 12345, ""), ("food", 999, "acme"), ("wine", 4711, ""), ("fuel", 5000, "acme"),
    ("coffee", 350, ""), ("gift_card", 5000, ""))]
for channel in ("pos", "app"):
    for member in (MemberFacts(), MemberFacts(segments=frozenset(("vip", "a", "b", "c")), member_id="m17")):
        facts = sale(found, channel, 2, 1234)
        why = explain(COMPILED, facts, member)
        print(evaluate(COMPILED, facts, member), why, in_words(why, COMPILED))
"""  # noqa: E501 - one program


def test_everything_is_the_same_under_any_hash_seed() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(answers) == 1
    assert "budget/camp/p" in answers.pop()
