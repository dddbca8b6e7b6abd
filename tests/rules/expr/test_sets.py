"""The set form: what it cannot do it says, and it is not needed to read an expression."""

import subprocess
import sys

import pytest

from rules.expr import read
from tests.rules.expr.samples import ENVIRONMENT

pytest.importorskip("polars", reason="polars is optional")

from rules.expr.sets import NotSetBased, as_polars

REFUSED = {
    "tx.nights > 1 && lines.exists(l, l.net > 1)": (
        "lines.exists(l, l.net > 1): a set has one row for a document, not one for a line"
    ),
    "size(lines) > 1": "size(lines): the lines are not in the set; tx.lines counts them",
    "1 == 1 ? tx.nights > 1 : tx.nights > 2": (
        "1 == 1: a test that asks nothing; write the side it chooses"
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items())
def test_what_a_set_cannot_answer_is_left_to_the_row_engine(text: str, said: str) -> None:
    with pytest.raises(NotSetBased) as refused:
        as_polars(read(text, ENVIRONMENT), ENVIRONMENT)
    assert str(refused.value) == said


def test_the_columns_are_called_like_the_values() -> None:
    text = "tx.nights > 1 && member.`first-name` == 'x' || counter.`stay-count` > 1"
    expression = as_polars(read(text, ENVIRONMENT), ENVIRONMENT)
    assert set(expression.meta.root_names()) == {
        "tx.nights",
        "member.first-name",
        "counter.stay-count",
    }


def test_reading_an_expression_needs_no_polars() -> None:
    program = "import sys, rules.expr; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
