"""What a subscription of profiles may say, and what profiles show of a message: pure."""

import json
from pathlib import Path

import pytest

from adapters.frame.adapter import Shown
from adapters.frame.mapping import MappingRefused
from adapters.frame.moments import DAY
from adapters.frame.outbox.messages import next_look, states_of
from adapters.frame.outbox.profiles import shown_of
from adapters.frame.outbox.subscription import Profile, checked, read
from adapters.frame.words import Parked
from loyalty.v1.account_service_pb2 import Account
from loyalty.v1.ledger_service_pb2 import Balance
from tests.adapters import mewses, shop
from tests.adapters.test_mews_profiles import FILE

TEXT = FILE.replace("currency: point", "currency: point\n  decimals: 0")


def body(points: int, tier: str) -> str:
    return json.dumps({"data": {"customers": ["C1"], "points": points, "tier": tier}})


def test_profiles_show_whole_points_and_the_tier_in_the_systems_words() -> None:
    profile = Profile(programme="P", currency="point", decimals=2, tiers={"gold": "G"})
    assert shown_of(profile, body(1_299, "gold")) == Shown(("C1",), "P", 12, "G")
    for tier, problem in (("blue", "tier 'blue' has no row"), ("", "has no tier")):
        with pytest.raises(Parked, match=problem):
            shown_of(profile, body(0, tier))
    named = Profile(programme="P", currency="point", without_tier="N")
    assert shown_of(named, body(7, "")).level == "N"
    with pytest.raises(Parked, match="only none"):
        shown_of(named, body(7, "gold"))
    bare = Profile(programme="P", currency="point")
    assert shown_of(bare, body(7, "gold")).level is None


def test_a_profile_is_told_points_of_its_currency_and_nothing_of_their_end(tmp_path: Path) -> None:
    file = tmp_path / "it.outbox.yaml"
    file.write_text(FILE, encoding="utf-8")
    told = read(file)
    account = Account(
        tier="blue",
        balances=[
            Balance(currency="status", available=9),
            Balance(currency="point", available=7, pending=5),
        ],
    )
    account.lots.add(currency="point", available=7).expire_time.FromSeconds(40 * DAY // 1_000_000)
    said = {"customers": ["C1"], "points": 7, "tier": "blue"}
    assert states_of(told, account, ("C1",), now=0) == {"profile.changed": said}
    assert states_of(told, account, (), now=0) == {}, "nobody said yet whose profile it is"
    assert next_look(told, account, now=0) == 40 * DAY


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("profile:", "webhook: {url: https://shop.example/}\nprofile:"), "one of webhook and"),
        ((TEXT[TEXT.index("profile:") :], ""), "one of webhook and profile"),
        (("connection: mews\ncustomer_scheme: mews-customer\n", ""), "whose profiles they are"),
        (("profile:", "currencies: [point]\nprofile:"), "names its own currency"),
        (("decimals: 0", "decimals: 10"), "less than or equal to 9"),
        (("programme:", "program:"), "unknown key"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    file = tmp_path / "it.outbox.yaml"
    file.write_text(TEXT.replace(*change), encoding="utf-8")
    with pytest.raises(MappingRefused, match=problem):
        read(file)


def test_profiles_fit_the_mapping_and_the_secrets_beside_them(tmp_path: Path) -> None:
    (tmp_path / "mews.yaml").write_text(mewses.MAPPING, encoding="utf-8")
    (tmp_path / "web-shop.yaml").write_text(shop.MAPPING, encoding="utf-8")
    file = tmp_path / "it.outbox.yaml"

    def findings(text: str = FILE, secrets: Path | None = None) -> str:
        file.write_text(text, encoding="utf-8")
        return "\n".join(map(str, checked(file, secrets)[0]))

    assert findings() == ""
    assert "mews.client_token is missing" in findings(secrets=tmp_path)
    for name, value in mewses.SECRETS.items():
        (tmp_path / f"mews.{name}").write_text(value, encoding="utf-8")
    assert findings(secrets=tmp_path) == ""
    wrong = "'card': the mapping's identities of kind customer have mews-customer"
    assert wrong in findings(FILE.replace("mews-customer", "card"))
    other = FILE.replace("connection: mews", "connection: web-shop")
    assert "profiles of shopify are not written" in findings(other)
