"""Every refusal of the server arrives as an exception of its own, with its fields."""

from dataclasses import fields
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

import loyalty_client.refusals
from ledger.core.refusals import ALL_REFUSALS, Malformed
from ledger.core.refusals import QueueFull as QueueFullThere
from ledger.core.refusals import Refusal as ServersRefusal
from loyalty_client import LoyaltyError, Refusal
from loyalty_client.refusals import InsufficientPoints, QueueFull
from server import refusal_classes
from server.status import internal_status, status_of

ROOT = Path(__file__).resolve().parents[2]


def filled(refusal: type[ServersRefusal]) -> ServersRefusal:
    return refusal(**{item.name: 7 if item.type is int else "x" for item in fields(refusal)})


def received(refusal: ServersRefusal) -> Refusal:
    found = Refusal.of(status_of(refusal))
    assert found is not None
    return found


def test_the_written_classes_are_current() -> None:
    folder = refusal_classes.TARGET
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.py")}
    assert present == refusal_classes.modules(), "run: python -m server.status"


@pytest.mark.parametrize("refusal", ALL_REFUSALS, ids=lambda refusal: refusal.reason)
def test_a_refusal_arrives_as_its_class_with_its_fields(refusal: type[ServersRefusal]) -> None:
    sent = filled(refusal)
    found = received(sent)
    assert type(found) is getattr(loyalty_client.refusals, refusal.__name__)
    assert found.reason == refusal.reason
    assert {item.name: getattr(found, item.name) for item in fields(refusal)} == sent.fields
    assert str(found) == str(sent)
    assert found.spoken.keys() == {"en", "zh-CN"}


def test_no_field_hides_what_every_refusal_has() -> None:
    plain = Refusal(Status(), ErrorInfo())
    own = {item.name for kind in ALL_REFUSALS for item in fields(kind)}
    assert not own & {*dir(LoyaltyError("", grpc.StatusCode.OK)), *vars(plain)}


def test_fields_at_fault_and_waits_are_told() -> None:
    malformed = received(Malformed(field="document.lines[3].category", value="", expected="one"))
    [violation] = malformed.violations
    assert violation.field == "document.lines[3].category"
    full = received(filled(QueueFullThere))
    assert isinstance(full, QueueFull)
    assert full.retry_seconds == 0.2
    assert full.transient


def test_a_reason_of_a_later_release_is_a_plain_refusal() -> None:
    status = Status(code=9, message="the moon is full")
    status.details.add().Pack(ErrorInfo(reason="FULL_MOON", domain="loyalty", metadata={"a": "b"}))
    found = Refusal.of(status)
    assert type(found) is Refusal
    assert (found.reason, dict(found.metadata)) == ("FULL_MOON", {"a": "b"})
    assert found.code is grpc.StatusCode.FAILED_PRECONDITION
    assert not found.transient


def test_a_known_reason_without_its_numbers_is_a_plain_refusal() -> None:
    status = Status(code=9, message="too few")
    status.details.add().Pack(ErrorInfo(reason=InsufficientPoints.reason, domain="loyalty"))
    found = Refusal.of(status)
    assert type(found) is Refusal
    assert found.reason == "INSUFFICIENT_POINTS"


def test_a_fault_of_the_server_and_others_errors_are_no_refusals() -> None:
    assert Refusal.of(internal_status()) is None
    foreign = Status(code=7, message="no")
    foreign.details.add().Pack(ErrorInfo(reason="IAM_DENIED", domain="cloud.example"))
    assert Refusal.of(foreign) is None
    assert Refusal.of(Status(code=7, message="no")) is None
