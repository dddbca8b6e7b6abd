"""The policy of thirty rules, and its documents, are what the benchmark says of them."""

from bench.evaluating import sets
from bench.thirty_rules import baskets, history, policy_text
from rules import MemberFacts, compile_policy, evaluate, load
from rules.sets import DOCUMENTS


def test_the_policy_has_thirty_rules_and_its_baskets_earn() -> None:
    policy = compile_policy(load(policy_text()))
    assert len(policy.model.earn) == 30
    documents = baskets(50, lines=3)
    assert documents == baskets(50, lines=3)
    assert all(
        evaluate(policy, document, MemberFacts(tier="gold")).grants for document in documents
    )


def test_the_history_is_what_the_set_engine_reads_in_columns_alone() -> None:
    frame = history(300, lines=3)
    assert frame.schema == DOCUMENTS
    assert frame["lines"].list.len().to_list() == [3] * 300
    told = sets(compile_policy(load(policy_text())), 300)
    assert told["grants"] >= 600
