"""Cutting out what is asked of the member."""

import pytest

from rules.expr import (
    Fault,
    atoms,
    compile_condition,
    member_predicates,
    parse,
    pin,
    pinned_values,
    with_predicates,
)

CUT = {
    "tx.nights > 1": ("tx.nights > 1", []),
    "member.vip": ('predicate("member.vip")', ["member.vip"]),
    "tx.nights > 1 && member.vip": (
        'tx.nights > 1 && predicate("member.vip")',
        ["member.vip"],
    ),
    "tx.nights > 1 && (member.kids == 0 || !member.vip)": (
        'tx.nights > 1 && predicate("member.kids == 0 || !member.vip")',
        ["member.kids == 0 || !member.vip"],
    ),
    "member.vip && counter.visits > 2 && member.vip": (
        'predicate("member.vip") && counter.visits > 2 && predicate("member.vip")',
        ["member.vip"],
    ),
    "tx.unit == 'a' || member.tier == 'gold'": (
        'tx.unit == "a" || predicate("member.tier == \\"gold\\"")',
        ['member.tier == "gold"'],
    ),
    "tx.nights > (member.kids > 1 ? 2 : 3)": (
        'tx.nights > (predicate("member.kids > 1") ? 2 : 3)',
        ["member.kids > 1"],
    ),
    "lines.exists(l, l.net > 5 && has(member.tier))": (
        'lines.exists(l, l.net > 5 && predicate("has(member.tier)"))',
        ["has(member.tier)"],
    ),
    "member.vip ? tx.nights > 1 : member.kids == 0": (
        'predicate("member.vip") ? tx.nights > 1 : predicate("member.kids == 0")',
        ["member.vip", "member.kids == 0"],
    ),
}


@pytest.mark.parametrize(("text", "cut"), CUT.items())
def test_the_largest_parts_about_the_member_become_predicates(
    text: str, cut: tuple[str, list[str]]
) -> None:
    node = parse(text)
    named = member_predicates(node)
    assert str(with_predicates(node)) == cut[0]
    assert [name for name, _ in named] == cut[1]
    assert all(parse(name) == part for name, part in named)
    assert parse(cut[0]) == with_predicates(node)
    assert with_predicates(with_predicates(node)) == with_predicates(node)


def test_atoms_tell_what_they_ask() -> None:
    node = parse(
        "member.vip && !(counter.visits > 1) || lines.exists(l, l.net > tx.nights) "
        "|| predicate('x') || (true ? tx.unit == 'a' : 1 == 1)"
    )
    assert [(str(atom.node), sorted(atom.roots)) for atom in atoms(node)] == [
        ("member.vip", ["member"]),
        ("counter.visits > 1", ["counter"]),
        ("lines.exists(l, l.net > tx.nights)", ["lines", "tx"]),
        ('predicate("x")', ["member"]),
        ("true", []),
        ('tx.unit == "a"', ["tx"]),
        ("1 == 1", []),
    ]


def test_a_fault_is_pinned_as_such_and_comes_back_as_one() -> None:
    node = parse("!(tx.nights > 9 || 1 / member.kids == 1) && member.vip && tx.nights > 0")
    named = member_predicates(node)
    member = {"member.kids": 0, "member.vip": True}
    pins = pin(named, [compile_condition(part)(member) for _, part in named])
    assert pins == ("?1 / member.kids == 1", "member.vip")
    derived = compile_condition(with_predicates(node))
    outcome = derived({"tx.nights": 1, **pinned_values(named, pins)})
    assert isinstance(outcome, Fault)
    assert isinstance(compile_condition(node)({"tx.nights": 1, **member}), Fault)
    # Pinned as a plain no, it would have become a yes.
    assert derived({"tx.nights": 1, **pinned_values(named, pins[1:])}) is True
