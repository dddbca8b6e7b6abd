"""Requests that are glued from bytes are what the contract says they are."""

from itertools import islice

from bench import baskets
from bench.policies import RULES_FROM, TEN_RULES, WITHOUT_RULES, WITHOUT_RULES_AT
from loyalty.v1.ledger_service_pb2 import (
    BatchPostRequest,
    EarnPointsRequest,
    PostDocumentRequest,
    PostStreamRequest,
)
from rules import check, load
from server.checking import validation

AT = RULES_FROM + 1


def test_every_document_passes_the_doors_checks() -> None:
    for body in islice(baskets.bodies(baskets.documents(AT), lambda: 7), 16):
        request = PostDocumentRequest.FromString(body)
        validation.post_document(request)
        assert request.member.identity.value == "0000000007"
        assert request.document.document_id == request.request_id
        assert request.origin.occurred_time.seconds == AT


def test_every_earn_names_its_member_and_carries_an_id_of_its_own() -> None:
    earns = [
        EarnPointsRequest.FromString(body)
        for body in islice(baskets.bodies(baskets.earns(AT), lambda: 12), 32)
    ]
    assert len({earn.request_id for earn in earns}) == 32
    assert {earn.member.identity.value for earn in earns} == {"0000000012"}


def test_items_glued_together_are_a_batch_and_a_message_of_a_stream() -> None:
    ids = baskets.fresh_ids()
    for templates, kind in (
        (baskets.batch_items(AT), BatchPostRequest),
        (baskets.stream_items(AT), PostStreamRequest),
    ):
        glued = b"".join(each.filled(next(ids), baskets.card_of(3)) for each in templates)
        request = kind.FromString(glued)
        assert len(request.items) == len(templates)
        assert all(item.post_document.document.lines for item in request.items)


def test_both_policies_are_valid_and_one_of_them_has_ten_rules() -> None:
    for text, rules in ((WITHOUT_RULES, 0), (TEN_RULES, 10)):
        policy = load(text)
        assert policy.model is not None
        assert len(policy.model.earn) == rules
        assert not [each for each in check(policy) if each.severity == "error"]
    assert WITHOUT_RULES_AT < RULES_FROM
