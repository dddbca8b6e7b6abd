"""What `loyalty account` shows."""

from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1.account_service_pb2 import Account, Benefit
from server.cli import console
from server.cli.accounts import print_account


def test_open_benefits_are_shown_with_their_last_day() -> None:
    until = Timestamp(seconds=1_780_000_000)
    answer = Account(member_id="m-1")
    answer.benefits.append(Benefit(benefit="late-checkout", quantity=2, expire_time=until))
    with console.out.capture() as captured:
        print_account(answer)
    assert "may use   2 late-checkout until 2026-05-28" in captured.get()
