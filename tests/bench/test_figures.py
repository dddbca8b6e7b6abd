"""Ratios are taken within rounds, and bounds are judged by the median."""

from collections import defaultdict

import pytest
from rich.console import Console

from bench import adapters, floor, old_member
from bench.figures import ALSO, TARGETS, Book, Sample, Target
from bench.measures import DISK, FEW, SLOW
from bench.report import show
from bench.run import rules_samples

RATIO = Target("one against the other", "fast", "slow", least=2.0)


def book(*pairs: tuple[float, float]) -> Book:
    filled = Book()
    for number, (fast, slow) in enumerate(pairs):
        filled.add("fast", number, Sample(fast, p50_ms=1 / fast))
        filled.add("slow", number, Sample(slow, p50_ms=1 / slow))
    return filled


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    # The machine was half as fast in the second round; the ratio does not see it.
    assert book((300, 100), (150, 50), (400, 100)).ratio(RATIO) == (3.0, 3.0, 4.0)


def test_rounds_that_lack_one_of_the_two_do_not_count() -> None:
    filled = book((300, 100))
    filled.add("fast", 1, Sample(900))
    assert filled.ratio(RATIO) == (3.0, 3.0, 3.0)


def test_measures_of_two_stages_are_compared_by_their_medians() -> None:
    filled = book((300, 100), (300, 120), (300, 140))
    filled.add("projected.fast", 0, Sample(150))
    target = Target("with projections", "projected.fast", "fast", least=0.0)
    assert filled.ratio(target) == (0.5, 0.5, 0.5)


def test_what_was_not_measured_has_no_ratio() -> None:
    assert Book().ratio(RATIO) is None
    assert Book().as_json()["targets"][0]["met"] is None


@pytest.mark.parametrize(("value", "met"), [(2.0, True), (1.99, False)])
def test_a_bound_is_met_from_the_bound_on(value: float, met: bool) -> None:
    assert RATIO.met_by(value) is met
    assert Target("p99", "a", "b", most=2.0).met_by(value)


def test_every_measure_that_a_target_names_is_taken_by_some_stage() -> None:
    taken = {each.name for each in DISK} | {f"slow.{each.name}" for each in SLOW}
    taken |= {f"projected.{each.name}" for each in FEW} | {"replay", "copy_out", ""}
    taken |= set(rules_samples(defaultdict(lambda: 1.0))) | set(adapters.MEASURES)
    taken |= set(floor.MEASURES)
    taken |= {f"member_{name}" for name in old_member.MEASURES}
    named = {name for each in (*TARGETS, *ALSO) for name in (each.name, each.against)}
    assert not named - taken


def test_the_report_says_what_was_missed_and_what_was_not_measured() -> None:
    filled = Book()
    filled.add("replay", 0, Sample(99_999))
    filled.skipped["slow"] = "there is no C compiler"
    console = Console(record=True, width=160, quiet=False)
    show(filled, console, judged=True)
    text = console.export_text()
    assert "missed" in text
    assert "not measured: slow: there is no C compiler" in text


def test_the_report_says_what_was_replayed() -> None:
    filled = Book()
    kinds = {"document_posted": 20_000, "points_earned": 20_000, "member_enrolled": 4_000}
    filled.facts["replay"] = {"accounts": 4_000, "events": kinds}
    console = Console(record=True, width=160, quiet=False)
    show(filled, console, judged=False)
    said = "replayed 44,000 events of 4,000 accounts: 20,000 document_posted, 20,000 points_earned"
    assert said in console.export_text()
