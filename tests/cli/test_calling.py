"""A command calls by its request alone: the contract has one method for each."""

import hashlib

from google.protobuf.message_factory import GetMessageClass

from loyalty.v1 import (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
    programme_service_pb2,
)
from server.cli.calling import id_from, method_of

SERVICES = (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
    programme_service_pb2,
)


def test_each_request_leads_to_its_own_method() -> None:
    methods = [
        method
        for file in SERVICES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]
    found = [method_of(GetMessageClass(method.input_type)()).full_name for method in methods]
    assert found == [method.full_name for method in methods]


def test_the_same_words_make_the_same_request_and_others_another() -> None:
    # With other ids, what was done before would be done again.
    told = hashlib.sha256(b"loyalty opening\x1fguests\x1f1").hexdigest()
    assert id_from("loyalty opening", "guests", "1") == told
    assert len({id_from("a", "bc"), id_from("ab", "c"), id_from("a", "b", "c")}) == 3
