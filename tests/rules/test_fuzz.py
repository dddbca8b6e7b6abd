"""Damaged policies and odd baskets: each is evaluated or refused with a path, and in time."""

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

import pytest
import yaml

from rules import (
    DocumentFacts,
    LineFacts,
    MemberFacts,
    Policy,
    PolicyRefused,
    RulesRefusal,
    check,
    compile_policy,
    evaluate,
    load,
)
from rules.difference import difference
from tests.rules.documents import instant
from tests.rules.whole import WHOLE

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 1500
SECONDS_EACH = 2.0
"""Far more than any of them takes; what hangs takes longer."""


def seeds() -> Iterator[Any]:
    yield yaml.load(WHOLE, Loader=yaml.BaseLoader)
    harbour = (ROOT / "rules/programmes/harbour.yaml").read_text(encoding="utf-8")
    yield yaml.load(harbour, Loader=yaml.BaseLoader)
    for path in sorted((ROOT / "tests/rules/cases").glob("*.yaml")):
        case = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        yield yaml.load(case["policy"], Loader=yaml.BaseLoader)


SEEDS = list(seeds())
JUNK: list[Any] = [
    "", "0", "-1", "1.5", "1e9", "9" * 30, "null", "on", "22:00", "08-30", "2026-02-30", "room/*",
    "x" * 5000, "٣", "\u0000", "EUR", "0.00", "1/0", "100%", "3/0", [], {}, [[]], [{}], {"id": "p"},
    {"all": [{"all": [{"none": [{}]}]}]}, "tx.nights / 0 > 1", "((((((", "a" * 64, "first_purchase",
]  # fmt: skip
JSON_JUNK: list[Any] = [None, True, False, 0, -1, 1.5, 10**40, float("1e300")]


def places(tree: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a tree, the whole of it left out."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for step, value in inner:
        yield (*at, step)
        if isinstance(value, dict | list):
            yield from places(value, (*at, step))


def copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    return [copied(value) for value in tree] if isinstance(tree, list) else tree


def parent(tree: Any, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        tree = tree[step]
    return tree


def damage(tree: Any, rng: random.Random) -> None:
    """Do one thing to a tree that nobody should: drop, rename, retype, duplicate, nest, garble."""
    every = list(places(tree))
    place = rng.choice(every)
    within, step = parent(tree, place), place[-1]
    if rng.random() < 0.4:
        # What stands under the same key elsewhere often makes another policy that is right.
        like = [other for other in every if other[-1] == step]
        within[step] = copied(parent(tree, other := rng.choice(like))[other[-1]])
        return
    match rng.randrange(7):
        case 0:
            del within[step]
        case 1 if isinstance(within, dict):
            within[rng.choice([f"{step}s", step[:-1], "kind", "id", "when", "X"])] = within.pop(
                step
            )
        case 2:
            within[step] = copied(rng.choice(JUNK))
        case 3:
            within[step] = rng.choice(JSON_JUNK)
        case 4 if isinstance(within, list):
            within.append(copied(within[step]))
        case 5:
            within[step] = {"when": within[step]} if rng.random() < 0.5 else [within[step]]
        case _:
            other = rng.choice(every)
            within[step] = copied(parent(tree, other)[other[-1]])


def written(tree: Any, rng: random.Random) -> str:
    """Write a tree as a file, and now and then damage the text itself."""
    text = json.dumps(tree) if rng.random() < 0.4 else yaml.safe_dump(tree)
    if rng.random() < 0.15:
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["\t", "&a ", "*a", "\x00", "{", "]", ": ", "# "]) + text[at:]
    return text


def basket(rng: random.Random, policy: Policy) -> DocumentFacts:
    """A document that a till could send, often of a unit or category that is not known."""
    unit = rng.choice([*policy.units, "nowhere"])
    code = policy.units[unit].currency_code if unit in policy.units else "EUR"
    amounts = [0, 1, -1, 99, 1000, 12345, 10**15, -(10**15)]
    lines = tuple(
        LineFacts(
            str(number),
            rng.choice(["food", "room", "room/suite", "spa", "gift_card", "unknown", "shoes"]),
            Fraction(rng.randrange(0, 5), rng.choice([1, 2, 3])),
            rng.choice(amounts),
            rng.choice([0, 0, 5]),
            rng.choice(["", "acme"]),
            rng.choice(["", "sku-1"]),
        )
        for number in range(rng.randrange(6))
    )
    activity = rng.choice(["", "", "survey", "quiz"])
    return DocumentFacts(
        business_unit=unit,
        channel=rng.choice(["pos", "APP", ""]),
        store=rng.choice(["1", ""]),
        kind="ACTIVITY" if activity else rng.choice(["SALE", "ORDER", "STAY", "FOLIO"]),
        status=rng.choice(["FINAL", "PENDING", "CANCELLED"]),
        currency_code=rng.choice([code, code, "JPY"]),
        occurred_at=instant(rng.choice(["2026-02-28T23:59:59Z", "2024-02-29T12:00:00Z"])),
        lines=() if activity else lines,
        nights=rng.choice([0, 1, 999]),
        activity=activity,
    )


def member(rng: random.Random) -> MemberFacts:
    return MemberFacts(
        tier=rng.choice([None, "gold", "basic", "no such tier"]),
        attributes=rng.choice([{}, {"kids": 2, "city": "rome"}]),
        segments=frozenset(rng.sample(["students", "seniors"], rng.randrange(3))),
        birthday=rng.choice([None, (2, 29)]),
        member_id="m1",
    )


@pytest.mark.parametrize("part", range(10))
def test_a_damaged_policy_is_refused_with_a_path_or_evaluates(part: int) -> None:
    rng = random.Random(part)
    compiled = refused = 0
    for _ in range(ROUNDS // 10):
        tree = copied(rng.choice(SEEDS))
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            damage(tree, rng)
        text = written(tree, rng)
        began = process_time()
        document = load(text)
        findings = check(document)
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            refused += 1
            assert all(error.message for error in errors)
            # What is said of the whole document names its key, or why it cannot be read at all.
            for error in errors:
                assert (
                    error.path
                    or "key" in error.message
                    or "is missing" in error.message
                    or (len(errors) == 1)
                ), error
            with pytest.raises(PolicyRefused):
                compile_policy(document)
        else:
            compiled += 1
            policy = compile_policy(document)
            assert load(document.canonical).digest == document.digest
            assert difference(document, document) == ()
            never = {one.path for one in findings if one.message.startswith("can never fire")}
            for _ in range(3):
                _evaluated(policy, basket(rng, policy), member(rng), never)
        assert process_time() - began < SECONDS_EACH, text
    assert compiled > 5
    assert refused > 50


def _evaluated(policy: Policy, document: DocumentFacts, who: MemberFacts, never: set[str]) -> None:
    try:
        award = evaluate(policy, document, who)
    except RulesRefusal as refusal:
        assert refusal.path  # noqa: PT017 - either is right
    else:
        assert all(0 < grant.granted <= grant.wanted < 2**63 for grant in award.grants)
        assert evaluate(policy, document, who, award.pins) == award
        gave = {grant.rule for grant in award.grants} | {one.rule for one in award.benefits}
        assert not {f"earn[{rule}]" for rule in gave} & never
