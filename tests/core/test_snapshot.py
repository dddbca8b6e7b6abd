"""Accounts as bytes."""

import json

import pytest

from ledger.core import snapshot
from ledger.core.care import Consent
from ledger.core.commands import ChangeProfile, CreateReferral
from ledger.core.state import Account
from tests.core.spec import PENDING, Grant, Story, no_ladder, utc


def busy_account() -> Account:
    """An account with something in every field."""
    story = Story(ladder=no_ladder).has_lot("L0", 50, expires="2025-07-01")
    story.posts("D1", 1, 10, Grant(5, rule="status", currency="QP", window="2025"))
    story.posts("D2", 1, Grant(7, pending_until=utc("2025-02-01")))
    story.posts("D3", 1, 9, status=PENDING)
    story.holds("H", 20, until="2025-03-01")
    story.captures("H", 5)
    story.burns(40)
    story.posts("D1", 2)
    agreed = Consent("marketing", "email", True, "2025-01", "form/1", "A", story.now)
    story.does(ChangeProfile((), "A", story.now, (agreed,)))
    story.does(CreateReferral("R", "A", "m-2", "A", "digest", story.now))
    return story.account


def test_an_account_survives_its_bytes() -> None:
    account = busy_account()
    assert account.debts
    assert account.holds
    assert snapshot.decode(snapshot.encode(account)) == account


def test_equal_accounts_have_equal_bytes() -> None:
    assert snapshot.encode(busy_account()) == snapshot.encode(busy_account())


@pytest.mark.parametrize("name", ["会员 😀", 'a"b\\c/d', "\x00\x1f\x7f\n\t\u2028\xa0"])
def test_bytes_are_those_of_json(name: str) -> None:
    account = busy_account()._replace(account_id=name, version=2**63, enrolled_at=-(2**62))
    state = snapshot.encode(account)
    written = json.dumps(json.loads(state), ensure_ascii=False, separators=(",", ":"))
    assert written.encode() == state
    assert snapshot.decode(state) == account


def test_bytes_of_another_version_are_not_read() -> None:
    state = snapshot.encode(busy_account()).replace(b"[%d," % snapshot.STATE_VERSION, b"[0,", 1)
    with pytest.raises(snapshot.StaleSnapshot, match="version 0"):
        snapshot.decode(state)


def test_a_name_in_any_script_survives() -> None:
    account = Account("会员", business_unit="酒店")
    assert snapshot.decode(snapshot.encode(account)) == account
