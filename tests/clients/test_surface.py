"""Every call of the contract is one of the clients', by the same name in both."""

import importlib
import inspect
import pkgutil

import pytest
from google.protobuf.descriptor import MethodDescriptor

import loyalty.v1
from loyalty_client import AsyncClient, Client
from loyalty_client.calls import Call, Dialogue, Feed, Unary, attribute_of
from loyalty_client.surface import Surface

# A batch has the ids of its items.
WITHOUT_ID = {"BatchPost", "PostStream"}


def contract() -> dict[str, MethodDescriptor]:
    """Every call of every service, by full name."""
    methods: dict[str, MethodDescriptor] = {}
    for module in pkgutil.iter_modules(loyalty.v1.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"loyalty.v1.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                methods |= {f"{service.full_name}/{each.name}": each for each in service.methods}
    return methods


def surface() -> dict[str, Call]:  # type: ignore[type-arg]
    return {name: call for name, call in vars(Surface).items() if isinstance(call, Call)}


def test_every_call_of_the_contract_is_offered_and_nothing_else() -> None:
    offered = {name: call.method for name, call in surface().items()}
    assert offered == {attribute_of(method): method for method in contract()}


@pytest.mark.parametrize("method", sorted(contract()), ids=lambda name: name.partition("/")[2])
def test_a_call_has_the_messages_and_the_kind_of_the_contract(method: str) -> None:
    stated, call = contract()[method], surface()[attribute_of(method)]
    assert call.request.DESCRIPTOR is stated.input_type
    assert call.answer.DESCRIPTOR is stated.output_type
    kinds = {(False, False): Unary, (False, True): Feed, (True, True): Dialogue}
    assert type(call) is kinds[stated.client_streaming, stated.server_streaming]


def test_whatever_can_be_sent_again_has_a_request_id_or_changes_nothing() -> None:
    reads = ("Get", "List", "Explain", "Quote", "Check", "Diff", "Stream", "Verify", "Trace")
    without = {
        method.partition("/")[2]
        for method, stated in contract().items()
        if "request_id" not in stated.input_type.fields_by_name
    }
    assert {name for name in without if not name.startswith(reads)} == WITHOUT_ID


def test_both_clients_have_the_same_names_and_parameters() -> None:
    blocking, awaited = (
        {
            name: str(inspect.signature(getattr(kind, name)).parameters)
            for name in dir(kind)
            if inspect.isfunction(getattr(kind, name)) and not name.startswith("_")
        }
        for kind in (Client, AsyncClient)
    )
    assert awaited.keys() == blocking.keys()
    for name in blocking:
        assert list(inspect.signature(getattr(Client, name)).parameters) == list(
            inspect.signature(getattr(AsyncClient, name)).parameters
        )
