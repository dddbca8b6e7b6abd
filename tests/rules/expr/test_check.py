"""Checking: names, types, cost and what may be asked of a member."""

import pytest

from rules.expr import COST_MAX, ExprError, check, cost, environment, parse, read
from tests.rules.expr.samples import ENVIRONMENT

REFUSED = {
    "tx.nigths > 1": (1, "unknown name 'tx.nigths' (known: activity, "),
    "tx.night > 1": (1, "did you mean 'nights'?"),
    "nights > 1": (1, "unknown name 'nights'; did you mean tx.nights?"),
    "txx.nights > 1": (1, "unknown name 'txx' (known: counter, lines, member, tx; did you mean"),
    "tx == 1": (1, "tx is no value; name one of its fields: activity"),
    "l.net > 1": (1, "unknown name 'l'"),
    "lines.exists(l, l.price > 1)": (17, "unknown name 'l.price' (known: brand, category"),
    "lines.exists(l, l == 1)": (17, "l is no value; name one of its fields"),
    "lines.exists(l, k.net == 1)": (17, "unknown name 'k'"),
    "lines.exists(tx, true)": (7, "'tx' has a meaning already"),
    "lines.exists(l, lines.all(k, k.net > l.net))": (23, "within another question to the lines"),
    "lines.exists(l, l.net)": (17, "exists takes a bool, but l.net is an int"),
    "tx.nights": (1, "a condition is a bool, this is an int"),
    "lines.filter(l, l.eligible)": (7, "a condition is a bool, this is lines"),
    "tx.nights == '2'": (11, '== compares values of one type, but tx.nights is an int and "2" is'),
    "tx.nights == true": (11, "tx.nights is an int and true is a bool"),
    "1 < 2 < 3": (7, "1 < 2 is a bool and 3 is an int"),
    "lines == lines": (7, "cannot compare lists"),
    "member.tags == ['a']": (13, "cannot compare lists"),
    "tx.nights && true": (1, "&& takes a bool, but tx.nights is an int"),
    "!tx.nights": (2, "! takes a bool"),
    "-true == 1": (2, "- takes an int, but true is a bool"),
    "tx.unit + 'a' == 'b'": (1, "+ takes an int, but tx.unit is a string"),
    "tx.nights ? true : false": (1, "? takes a bool"),
    "(true ? 1 : 'a') == 1": (7, 'both sides of : have one type, but 1 is an int and "a" is a'),
    "size(true ? member.tags : member.tags) == 1": (11, "a ternary gives an int, a bool or a"),
    "size(tx.nights) == 1": (1, "size takes a string or a list, but tx.nights is an int"),
    "tx.unit.startsWith(1)": (20, "startsWith takes a string, but 1 is an int"),
    "tx.nights in tx.unit": (14, "in takes a list, but tx.unit is a string"),
    "tx.nights in ['a']": (11, 'tx.nights is an int, but ["a"] is a list of string'),
    "1 in []": (6, "the list is empty: nothing is ever in it"),
    "1 in [1, 'a']": (10, 'a list is of one type, but 1 is an int and "a" is a string'),
    "has(1)": (1, "has takes a name with its field"),
    "has(lines)": (1, "has takes a name with its field"),
    "has(member.kid)": (5, "unknown name 'member.kid'"),
    "predicate('member.kids == 0')": (1, "the ledger's own"),
    "tx.nights > member.kids": (13, "compare it with a constant, like member.kids == …"),
    "counter.visits == member.kids": (19, "member.kids is mixed with what is not the member's"),
    "lines.exists(l, l.brand == member.tier)": (28, "only a yes or no about a member is kept"),
    "tx.unit in member.tags": (12, "member.tags is mixed"),
    "tx.nights > (member.vip ? member.kids : 1)": (27, "member.kids is mixed"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_makes_no_sense_is_refused_at_its_column(text: str, said: tuple[int, str]) -> None:
    with pytest.raises(ExprError) as refused:
        read(text, ENVIRONMENT)
    assert said[1] in refused.value.message
    assert refused.value.column == said[0]


@pytest.mark.parametrize(
    "text",
    [
        "tx.nights > 1 && member.kids > member.`kids.count`",
        "tx.nights > (member.kids > 1 ? 2 : 3)",
        "lines.exists(l, member.vip && l.net > 5)",
        "(member.vip == true) == (tx.nights > 2)",
        "member.born >= 20000101 && has(member.tags)",
        "tx.local_weekday in [6, 7] && tx.local_hour < 12",
    ],
)
def test_a_member_may_be_asked_wherever_a_yes_or_no_stands(text: str) -> None:
    assert check(parse(text), ENVIRONMENT) > 0


def test_a_name_without_any_declared_beside_it_says_so() -> None:
    with pytest.raises(ExprError, match=r"counter\.visits' \(counter has none declared\)"):
        read("counter.visits > 1", environment({}, []))


def test_an_attribute_of_an_unknown_type_is_refused() -> None:
    with pytest.raises(ValueError, match="kids: 'float' is none of int, string"):
        environment({"kids": "float"}, [])


def test_the_cost_grows_with_the_lines_and_has_a_limit() -> None:
    assert cost(parse("tx.nights > 1")) == 3
    assert cost(parse("lines.exists(l, l.net > 1)"), lines_max=500) == 1 + 3 * 500
    assert cost(parse("lines.exists(l, l.net > 1)"), lines_max=20) == 1 + 3 * 20
    question = "lines.exists(l, l.net > 1)"
    assert check(parse(" && ".join([question] * 6)), ENVIRONMENT) <= COST_MAX
    with pytest.raises(ExprError, match="up to 10508 steps with 500 lines, and at most 10000"):
        read(" && ".join([question] * 7), ENVIRONMENT)
