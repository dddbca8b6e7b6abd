"""YAML's traps cannot bite, and whatever cannot be read is refused with its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import check, compile_policy, load
from rules.reading import TEXT_BYTES_MAX, read_tree
from tests.rules.documents import SMALL


def test_every_yaml_scalar_stays_the_text_that_was_written() -> None:
    tree, _ = read_tree("a: 22:00\non: yes\nb: 1.10\nc: 0o17\nd: 2025-01-01\ne: ~\nf: 1_000")
    assert tree == {
        "a": "22:00",
        "on": "yes",
        "b": "1.10",
        "c": "0o17",
        "d": "2025-01-01",
        "e": "~",
        "f": "1_000",
    }


def test_a_ratio_is_exact_with_or_without_quotes() -> None:
    plain = SMALL.replace(
        "earn: [",
        "groups: [{id: g}]\nearn: [{kind: multiplier, id: m, currency: p, group: g, factor: 1.1}, ",
    )
    quoted = plain.replace("1.1}", '"110%"}')
    assert compile_policy(load(plain)).digest == compile_policy(load(quoted)).digest


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a: &x 1\nb: *x", "anchors and aliases are not accepted", 1),
        ("a: 1\nb: *x", "anchors and aliases are not accepted", 2),
        ("a: 1\nb: 2\na: 3", "key 'a' is written twice", 3),
        ('{"a": 1, "a": 2}', "key 'a' is written twice", 0),
        ("a: !!float 1", "tags are not accepted", 1),
        ("a: !!python/object/apply:os.system [ls]", "tags are not accepted", 1),
        ("? [a, b]\n: c", "a key is plain text", 1),
        ("a: 1\n---\nb: 2", "a policy file holds one document", 2),
        ("a: [1", "not YAML: ", 2),
        ("a: \x00", "not YAML: ", 0),
        ("", "the document is empty", 1),
        ("- a", "a policy document is a mapping", 1),
        ("[" * 100 + "]" * 100, "nested deeper than", 1),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested deeper than", 0),
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "nested deeper than", 0),
        ("a" * (TEXT_BYTES_MAX + 1), "a policy document has at most", 0),
    ],
)
def test_what_could_mislead_a_reader_is_refused(text: str, message: str, line: int) -> None:
    (found,) = check(load(text))
    assert found.message.startswith(message)
    if line:
        assert found.line == line


def test_bytes_that_are_not_utf8_are_refused() -> None:
    (found,) = check(load(b"a: \xff"))
    assert found.message == "not UTF-8 at byte 3"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60))
def test_no_text_makes_the_check_fail(text: str | bytes) -> None:
    assert check(load(text))


def _mutations() -> st.SearchStrategy[str]:
    words = SMALL.replace("\n", " \n ").split(" ")
    junk = st.sampled_from(["", "[]", "{}", "-1", "1.5", "null", "x", "[[x]]", "{id: p}", "9" * 30])
    return st.builds(
        lambda at, new: " ".join([*words[:at], new, *words[at + 1 :]]),
        st.integers(0, len(words) - 1),
        junk,
    )


@settings(max_examples=300, deadline=None)
@given(_mutations())
def test_a_damaged_policy_is_compiled_or_refused_and_never_fails(text: str) -> None:
    document = load(text)
    findings = check(document)
    if not any(finding.severity == "error" for finding in findings):
        assert compile_policy(document).digest == document.digest
