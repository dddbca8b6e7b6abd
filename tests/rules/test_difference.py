"""What changed between two policies is said in words, entry by entry."""

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import pytest

from rules import PolicyRefused, load
from rules.difference import Change, difference
from rules.difference_choices import CHOICES
from rules.difference_words import Language, remark
from rules.model import Part, PolicyModel
from tests.rules.test_checks import GOOD


def changes(*edits: tuple[str, str], before: str = GOOD) -> tuple[Change, ...]:
    after = before
    for old, new in edits:
        assert old in after
        after = after.replace(old, new, 1)
    return difference(load(before), load(after))


SAID = [
    ("points: 5", "points: 10",
     "earn[base.rooms].rate.points: 5 → 10: twice as many points for the same money"),
    ('points: 5, per: "1.00 EUR"', 'points: 15, per: "2.00 EUR"',
     "earn[base.rooms].rate: {points: 5, per: 1.00 EUR} → {points: 15, per: 2.00 EUR}: "
     "1.5 times as many points for the same money"),
    ('factor: "1.5"', "factor: 2",
     "earn[gold].factor: 1.5 → 2: adds twice as much to the base points"),
    ("points: 10,", "points: 5,", "earn[bonus].points: 10 → 5: half as many points"),
    ("category: [room, room/*]", "category: [room, spa]",
     "earn[base.rooms].when.category: room/* → spa"),
    ("category: [room, room/*]", "category: []",
     "earn[base.rooms].when.category: removed room, room/*: now any"),
    ("tier: [gold]", "tier: [gold], channel: [app]",
     "earn[gold].when.channel: added app: now these only"),
    ("currency: p, factor", "title: Gold, currency: p, factor", "earn[gold].title: '' → Gold"),
    ("at_least: 500", "at_least: 250",
     "tiers.ladder[gold].reach_any[0][0].at_least: 500 → 250: half as much is needed"),
    ("timeout_hours: 24", "timeout_hours: 25", "holds[0].timeout_hours: 24 → 25: 1 hour longer"),
    ('point_value: "0.01 EUR"', 'point_value: "0.03 EUR"',
     "business_units[hotel].point_value: 0.01 EUR → 0.03 EUR: "
     "a point is worth three times as much there"),
    ("id: tobacco, earns: false", "id: tobacco, earns: true",
     "categories[tobacco].earns: false → true"),
    ("groups: [{id: tier}]", "groups: [{id: tier, max_factor: 3}]",
     "groups[tier].max_factor: added 3"),
    ("timeout_hours: 24", "timeout_hours: 24, held_points: expire",
     "holds[0].held_points: keep → expire: held points expire in their time"),
    ("zone: Europe/Berlin", "unlisted_categories: earn\nzone: Europe/Berlin",
     "unlisted_categories: refuse → earn: what is not listed earns"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), SAID)
def test_a_change_is_said_with_its_place_and_what_follows(old: str, new: str, said: str) -> None:
    assert [str(change) for change in changes((old, new))] == [said.replace("''", "")]


def test_the_order_of_rules_and_words_is_no_change() -> None:
    lines = GOOD.splitlines()
    first = next(number for number, line in enumerate(lines) if "id: base.rooms" in line)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    swapped = "\n".join(lines).replace("[room, room/*]", "[room/*, room]")
    assert difference(load(GOOD), load(swapped)) == ()


def test_a_default_that_is_written_out_is_no_change() -> None:
    assert changes(("id: tier}", "id: tier, combine: best_of, excludes: []}")) == ()


def test_a_rule_that_is_new_or_gone_is_said_with_its_title() -> None:
    (gone, come) = changes(("id: bonus,", "id: extra, title: Ten more,"))
    rest = "{currency: p, when: {basket_min: 20.00 EUR, line_min: 5.00 EUR}, "
    assert str(gone) == f"earn[bonus]: removed {rest}kind: bonus, points: 10}}"
    assert str(come) == f"earn[extra] (Ten more): added {rest}kind: bonus, points: 10}}"


def test_a_rule_that_becomes_another_kind_is_said_whole() -> None:
    (change,) = changes(
        ('kind: base, id: qp, currency: qp, rate: {points: 1, per: "1.00"}',
         "kind: bonus, id: qp, currency: qp, points: 7")
    )  # fmt: skip
    assert change.path == "earn[qp]"
    assert change.after is not None
    assert "kind: bonus" in change.after


def test_tiers_in_another_order_are_a_change() -> None:
    three = GOOD.replace("    - {id: gold,", "    - {id: vip, invite_only: true}\n    - {id: gold,")
    moved = three.replace("    - {id: vip, invite_only: true}\n", "") + (
        "    - {id: vip, invite_only: true}\n"
    )
    (change,) = difference(load(three), load(moved))
    assert str(change) == "tiers.ladder: basic, vip, gold → basic, gold, vip"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "earn[bonus].points: 10 → 30: three times as many points"),
        ("zh", "earn[bonus].points: 10 → 30: 积分为原来的 3 倍"),
    ],
)
def test_a_change_is_said_in_either_language(language: Language, said: str) -> None:
    (change,) = changes(("points: 10,", "points: 30,"))
    assert change.says(language) == said


def choices(
    part: type[Part] = PolicyModel, within: str = "", above: frozenset[type] = frozenset()
) -> Iterator[tuple[str, str, str]]:
    """(where, key, value) of every choice that a part of the language leaves, and those below it.

    What has an id and becomes another kind is said whole.
    """
    for field, info in part.model_fields.items():
        for annotation in annotations(info.annotation):
            if isinstance(annotation, type) and issubclass(annotation, Part):
                if annotation not in above:
                    yield from choices(annotation, field, above | {annotation})
            elif get_origin(annotation) is Literal and len(get_args(annotation)) > 1:
                whole = field == "kind" and "id" in part.model_fields
                yield from () if whole else ((within, field, each) for each in get_args(annotation))


def annotations(annotation: object) -> Iterator[object]:
    """What a field may be; of lists of words, which say themselves what is new, nothing."""
    if get_origin(annotation) is Literal or not get_args(annotation):
        yield annotation
        return
    for each in get_args(annotation):
        if get_origin(annotation) is not tuple or get_origin(each) is not Literal:
            yield from annotations(each)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_choice_of_the_language_says_what_follows_from_it(language: Language) -> None:
    silent, said = [], 0
    for within, key, value in set(choices()):
        said += 1
        path = tuple(filter(None, (within, key)))
        line = Change(key, "another", value, remark=remark(path, "another", value)).says(language)
        if line == Change(key, "another", value).says(language):
            silent.append(f"{within}.{key}: {value}")
    assert sorted(silent) == []
    assert said > 100


def test_words_are_of_choices_that_there_are() -> None:
    there = {(key, value) for _, key, value in choices()}
    told = {(key.rpartition(".")[2], value) for key, words in CHOICES.items() for value in words}
    # What counts periods is told in one place for all of them.
    assert {key for key, _ in told - there} <= {"period", "window"}
    assert {value for _, value in told} <= {value for _, value in there}


def test_a_document_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(PolicyRefused, match="verison"):
        changes(("version: 1", "verison: 1"))


def test_no_text_can_paint_over_the_line_of_another_change() -> None:
    found = changes(("zone: Europe/Berlin", 'notes: "a\\e[1A\\e[2K\\r\\nb"\nzone: Europe/Berlin'))
    assert [str(one) for one in found] == ["notes:  → a\\x1b[1A\\x1b[2K\\r\\nb"]
