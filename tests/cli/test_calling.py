"""A command calls by its request alone: the contract has one method for each."""

from google.protobuf.message_factory import GetMessageClass

from loyalty.v1 import (
    account_service_pb2,
    audit_service_pb2,
    ledger_service_pb2,
    member_service_pb2,
    programme_service_pb2,
)
from server.cli.calling import method_of

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
