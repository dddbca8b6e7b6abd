"""Reading: what is written, and how it is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.expr import DEPTH_MAX, LENGTH_MAX, ExprError, parse, read
from rules.expr.nodes import Binary, Logic, Name, Text, Unary, Whole
from tests.rules.expr.samples import ENVIRONMENT

CANONICAL = {
    "tx.nights>=2&&member.kids==0": "tx.nights >= 2 && member.kids == 0",
    "((1+2))*3 == 9": "(1 + 2) * 3 == 9",
    "1+(2*3) == 7": "1 + 2 * 3 == 7",
    "1-(2-3) == 2": "1 - (2 - 3) == 2",
    "(1-2)-3 == -4": "1 - 2 - 3 == -4",
    "0xff == 255": "255 == 255",
    "'it\\'s' == r\"it's\"": '"it\'s" == "it\'s"',
    "tx.unit.size() == 5": "size(tx.unit) == 5",
    "(true && false) && true": "(true && false) && true",
    "true && false && true": "true && false && true",
    "true || (false && true)": "true || false && true",
    "(true ? 1 : 2) == 1": "(true ? 1 : 2) == 1",
    "true ? false : (true ? false : true)": "true ? false : true ? false : true",
    "!(!true)": "!(!true)",
    "-(5) == - 5": "-(5) == -5",
    "tx.`nights` == 1": "tx.nights == 1",
    "member.`first-name` == 'x'": 'member.`first-name` == "x"',
    "lines . exists ( l , l.net>1 )": "lines.exists(l, l.net > 1)",
    "1 in [1,2,]": "1 in [1, 2]",
}


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_one_meaning_has_one_canonical_text(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


def test_equal_expressions_are_equal_wherever_they_were_written() -> None:
    assert parse("  1==2") == parse("1 == 2")
    assert hash(parse("  1==2")) == hash(parse("1 == 2"))
    assert parse("1 == 1") != parse("true == true")


def test_a_chain_of_ands_is_one_level_and_a_minus_belongs_to_its_number() -> None:
    assert isinstance(parse(" && ".join(["true"] * 100)), Logic)
    assert parse("tx.nights -5") == Binary("-", Name("tx", "nights"), Whole(5))
    assert parse("--5") == Unary("-", Whole(-5))


def test_a_node_knows_its_column() -> None:
    node = parse("tx.nights >= 'x'")
    assert isinstance(node, Binary)
    assert (node.left.at, node.at, node.right.at) == (1, 11, 14)


REFUSED = {
    "": (1, "empty"),
    "tx.basket > 1.5": (13, "1.5 is not exact here: count in whole numbers"),
    "tx.basket > 1e3": (13, "not exact"),
    "tx.basket > .5": (13, "not exact"),
    "1u == 1": (1, "no unsigned numbers"),
    "12ab == 1": (1, "neither a number nor a name"),
    "9223372036854775808 > 0": (1, "too large: whole numbers go to 9223372036854775807"),
    "-9223372036854775809 < 0": (1, "too large"),
    "tx.nights = 2": (11, "write == to compare"),
    "true & true": (6, "write && for and"),
    "true | true": (6, "write || for or"),
    "true and false": (6, "write &&"),
    "not true": (5, "where the expression could end"),
    "tx.unit == 'a": (12, "the string does not end"),
    "tx.unit == '''a'''": (12, "one pair of quotes"),
    "b'a' == b'a'": (1, "no bytes"),
    r"tx.unit == 'a\z'": (14, r"\z is no escape"),
    r"tx.unit == '\ud800'": (13, "is no character"),
    r"tx.unit == '\udfff'": (13, "is no character"),
    r"tx.unit == '\U00110000'": (13, "is no character"),
    "tx.unit == '\ud800'": (12, "lone surrogate"),
    "tx.nights == null": (14, "there is no null"),
    "(1 == 1": (8, "expected ')' to close the bracket, not the end"),
    "1 == 1)": (7, "where the expression could end"),
    "1 ==": (5, "expected a value, not the end"),
    "true ? 1": (9, "expected ':' of the ternary"),
    "tx. == 1": (5, "expected a name after the dot"),
    "tx.a.b == 1": (6, "stands in backquotes: tx.`a.b`"),
    "lines[0].net > 1": (6, "no index here"),
    "lines.net > 1": (7, "ask each with lines.exists(l, l.net …)"),
    "{'a': 1}": (1, "no maps"),
    "lines.map(l, l.net)": (7, "unknown function 'map'"),
    "tx.unit.startswith('a')": (9, "did you mean 'startsWith'?"),
    "startsWith(tx.unit, 'a')": (1, "stands after a value"),
    "matches(tx.unit, 'a')": (1, "unknown function 'matches' (known: has, predicate, size)"),
    "member.tags.exists(t, t == 'a')": (13, "exists goes over lines only"),
    "lines.exists(l.net, true)": (15, "expected ',' after the name of the line"),
    "lines.exists(1, true)": (14, "first names its line"),
    "lines.exists(in, true)": (14, "first names its line"),
    "tx.nights in [tx.stays]": (15, "a list has only numbers, strings"),
    "1 in [[1]]": (7, "a list has only numbers, strings"),
    "predicate(tx.unit)": (1, "predicate takes a name in quotes"),
    "import == 1": (1, "a word of the language"),
    "tx.unit == #": (12, "no word of the language begins with it"),
    "tx.unit == `a": (12, "a name between"),
    "'a'.b == 1": (5, "only tx, member, counter and a line have fields"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_cannot_be_read_is_refused_at_its_column(text: str, said: tuple[int, str]) -> None:
    with pytest.raises(ExprError) as refused:
        parse(text)
    assert refused.value.column == said[0]
    assert said[1] in refused.value.message


def test_a_text_that_is_too_long_is_refused_before_it_is_read() -> None:
    longest = "true" + " " * (LENGTH_MAX - 4)
    assert str(parse(longest)) == "true"
    with pytest.raises(ExprError, match="1001 characters; an expression has at most 1000"):
        parse(longest + " ")


@pytest.mark.parametrize("opening", ["(", "!", "- ", "true ? true : ", "size(", "1+", "1 == "])
def test_nesting_is_bounded_however_it_is_written(opening: str) -> None:
    with pytest.raises(ExprError, match=f"nested deeper than {DEPTH_MAX} levels"):
        parse(opening * (900 // len(opening)) + "1" + ")" * opening.count("(") * 90)


def test_the_caret_stands_under_the_place() -> None:
    text = "tx.unit == '日本' &&\n\ttx.nigths > 1"
    with pytest.raises(ExprError) as refused:
        read(text, ENVIRONMENT)
    shown = refused.value.shown(text).splitlines()
    assert shown[1:] == ["  \ttx.nigths > 1", "  \t^"]
    with pytest.raises(ExprError) as refused:
        parse("'日本' = 1")
    assert refused.value.shown("'日本' = 1").splitlines()[2] == "  " + " " * 7 + "^"


def refusal_of(text: str) -> ExprError | None:
    try:
        parse(text)
    except ExprError as refused:
        return refused
    return None


PIECES = ["tx", ".", "nights", "(", ")", "&&", "!", "-", "1", "'a'", "[", "]", ",", "in", "lines"]


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from([*PIECES, "?", ":", "==", "exists", "l", "size", "+"])).map(
            " ".join
        ),
    )
)
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_or_refused_at_a_column_within_it(text: str) -> None:
    refused = refusal_of(text)
    if refused is None:
        node = parse(text)
        assert parse(str(node), length_max=10_000) == node
    else:
        assert 1 <= refused.column <= len(text) + 1
        assert refused.shown(text).endswith("^")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_string_survives_the_canonical_text(value: str) -> None:
    text = str(Text(value))
    assert text.isprintable()
    assert parse(text, length_max=100_000) == Text(value)
