"""The set engine and the row engine agree to the point."""

from hypothesis import HealthCheck, given, settings

from rules import Policy
from rules.sets import SetEngine
from tests.rules.sets.policies import histories, policies
from tests.rules.sets.recorded import Posted, frame_of, one_by_one

_COLUMNS = (
    "rule",
    "currency",
    "funder",
    "campaign",
    "qualifying",
    "wanted",
    "granted",
    "cut_by",
)


def in_sets(policy: Policy, history: list[Posted], chunk: int) -> list[tuple[str, list[object]]]:
    """Give each document's refusal, or else its grants, from the set engine."""
    engine, found = SetEngine(policy), []
    for begin in range(0, len(history), chunk):
        part = history[begin : begin + chunk]
        awards = engine.evaluate(frame_of(policy, part))
        rows: list[list[object]] = [[] for _ in part]
        for document, *grant in (
            engine.described(awards.grants).select("document", *_COLUMNS).rows()
        ):
            if grant[-2]:
                rows[document].append(tuple(grant))
        found += [(awards.refused.get(row, ""), grants) for row, grants in enumerate(rows)]
    return found


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(policies, histories)
def test_sets_give_every_document_what_the_row_engine_gives_it(
    policy: Policy, history: list[Posted]
) -> None:
    expected = [(why, sorted(grants)) for why, grants in one_by_one(policy, history)]
    for chunk in (len(history) or 1, 5):
        found = in_sets(policy, history, chunk)
        assert [(why, sorted(grants, key=str)) for why, grants in found] == [
            (why, sorted(grants, key=str)) for why, grants in expected
        ]
