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


def with_rule(when: str) -> str:
    """The small policy with a bonus on some conditions, and what they may name."""
    rule = f"{{kind: bonus, id: b, currency: p, points: 1, when: {{{when}}}}}"
    attributes = "member_attributes: [{id: staff, type: bool}, {id: since, type: date}]\n"
    return SMALL.replace("earn: [", f"{attributes}earn: [{rule}, ")


@pytest.mark.parametrize(
    ("plain", "quoted"),
    [
        ("window: {local_time: [22:00, 02:00]}", 'window: {local_time: ["22:00", "02:00"]}'),
        ("window: {local_time: [08:00, 09:30]}", 'window: {local_time: ["08:00", "09:30"]}'),
        ("window: {from: 2026-06-01}", 'window: {"from": "2026-06-01T00:00:00"}'),
        ("window: {until: 2026-06-01T18:00}", 'window: {until: "2026-06-01T18:00:00"}'),
        ("quantity_min: 1.10", 'quantity_min: "1.1"'),
        ("quantity_min: 2", 'quantity_min: "2.0"'),
        ("basket_min: 1.10", 'basket_min: "1.10"'),
        ("channel: [no, on, y, NULL, ~]", 'channel: ["no", "on", "y", "NULL", "~"]'),
        ("store: [007, 1_000, 0x1F, 1e3]", 'store: ["007", "1_000", "0x1F", "1e3"]'),
        (
            "member: [{attr: since, value: 2026-06-01}]",
            'member: [{attr: since, value: "2026-06-01"}]',
        ),
        ("member: [{attr: staff, value: true}]", 'member: [{attr: staff, value: "true"}]'),
        ("first_purchase: true", 'first_purchase: "true"'),
    ],
)
def test_a_value_means_the_same_with_and_without_quotes(plain: str, quoted: str) -> None:
    assert compile_policy(load(with_rule(plain))).digest == (
        compile_policy(load(with_rule(quoted))).digest
    )


@pytest.mark.parametrize(
    ("when", "message"),
    [
        # What YAML 1.1 reads as 1320 and 120 minutes in base sixty.
        ("window: {local_time: [1320, 120]}", "'1320' is not a time of day like 09:30"),
        ("window: {local_time: [9:30, 10:00]}", "'9:30' is not a time of day"),
        ("window: {from: 2026-6-1}", "'2026-6-1' is not a local time"),
        ("window: {from: 20260601}", "'20260601' is not a local time"),
        ("window: {from: 2026-W23-1}", "'2026-W23-1' is not a local time"),
        ("window: {from: 2026-06-01T00:00Z}", "is not a local time without offset"),
        ("window: {from: 2026-02-30}", "'2026-02-30' is not a local time"),
        ("first_purchase: on", "write true or false, not 'on'"),
        ("first_purchase: yes", "write true or false, not 'yes'"),
        ("first_purchase: True", "write true or false, not 'True'"),
        ("nights_min: 0o7", "expected a whole number, not '0o7'"),
        ("nights_min: 1_0", "expected a whole number, not '1_0'"),
        ("nights_min: ٣", "expected a whole number, not '٣'"),
        ("quantity_min: 1e1", "a quantity is above zero"),
        ("basket_min: 1,10", "unknown key '10'"),
        ('basket_min: "1,10"', "money is written like"),
        ("basket_min: 10 EUR EUR", "money is written like"),
        ("birthday: ~", "expected a mapping"),
        ("member: [{attr: staff, value: yes}]", "'staff' is of type bool: write true or false"),
        ("member: [{attr: since, value: 2026-6-1}]", "'since' is of type date"),
        ("member: [{attr: since, value: 2026-06-01T00:00:00Z}]", "'since' is of type date"),
    ],
)
def test_a_value_that_looks_right_and_is_not_is_refused(when: str, message: str) -> None:
    assert any(message in str(one) for one in check(load(with_rule(when)))), check(
        load(with_rule(when))
    )


@pytest.mark.parametrize(
    ("day", "right"),
    [("08-30", True), ("02-29", True), ("8-30", False), ("02-30", False), ("13-01", False)],
)
def test_a_day_of_the_year_is_a_month_and_a_day(day: str, right: bool) -> None:
    text = f"{SMALL}expiries: [{{id: e, kind: calendar_date, month_day: {day}}}]\n"
    refused = [str(one) for one in check(load(text)) if one.severity == "error"]
    assert (refused == []) == right
    if not right:
        assert refused == [f"expiries[e].month_day: {day!r} is not a day of the year like 09-30"]


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


def nested(levels: int, leaf: str) -> str:
    """A condition within conditions."""
    return f"all: [{{{nested(levels - 1, leaf)}}}]" if levels else leaf


def wide() -> str:
    """A condition whose 15,625 parts are short to write, and long with all their defaults."""
    found = "nights_min: 2"
    for _ in range(3):
        found = f"any: [{', '.join([f'{{{found}}}'] * 25)}]"
    return found


@pytest.mark.parametrize("levels", range(8, 12))
@pytest.mark.parametrize("leaf", ["nights_min: 3", "birthday: {}", "tier: []", "window: {}"])
def test_what_passes_the_check_can_be_read_again_however_deep(levels: int, leaf: str) -> None:
    document = load(with_rule(nested(levels, leaf)))
    if not [one for one in check(document) if one.severity == "error"]:
        assert load(document.canonical).digest == document.digest


def test_what_grows_too_large_with_its_defaults_is_refused() -> None:
    document = load(with_rule(wide()))
    assert len(with_rule(wide())) < TEXT_BYTES_MAX / 8
    (error,) = [one for one in check(document) if one.severity == "error"]
    assert "with every default written out, a policy document has at most" in error.message


@pytest.mark.parametrize(
    "written", ["1901-01-01T00:00:00+00:01", "8999-12-31T23:59:59-00:01", "9999-12-31T23:59-23:59"]
)
def test_a_time_whose_year_is_another_in_utc_is_judged_by_that(written: str) -> None:
    document = load(SMALL.replace("2020-01-01T00:00:00Z", written))
    assert [one.path for one in check(document)] == ["effective_from"]


def test_half_a_character_is_refused_and_a_pair_of_halves_is_read() -> None:
    text = '{"schema": "loyalty.policy/v1", "notes": "%s"}'
    for half in (text % "\\ud83d", text % "\\uDE00\\ud83d", text % "\ud83d", "notes: \udcff"):
        assert "half a character" in str(load(half).findings[0])
    whole = load(text % "\\ud83d\\ude00")
    assert not any("half a character" in str(one) for one in whole.findings)


@pytest.mark.parametrize("zone", ["posix/Europe/Berlin", "right/Europe/Berlin"])
def test_a_copy_of_the_zone_database_is_no_zone(zone: str) -> None:
    assert "is no place" in str(load(SMALL.replace("zone: UTC", f"zone: {zone}")).findings[0])


@pytest.mark.parametrize("title", ['"a\\e[2Kb"', '"a\\nb"', '{en: a, zh: "\\u202e"}'])
def test_a_title_is_one_line_that_can_be_seen(title: str) -> None:
    text = SMALL.replace("id: base,", f"id: base, title: {title},")
    (found,) = check(load(text))
    assert found.path == "earn[base].title"
    assert "a title is a line of at most 200 characters" in found.message
