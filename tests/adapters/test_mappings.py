"""Mapping files: what is wrong in them is told with file and line, and nothing is guessed."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.frame.connections import settings_models
from adapters.frame.mapping import MappingFile, MappingRefused, parse
from adapters.frame.words import Parked
from server.cli import app
from tests.adapters import shop
from tests.conftest import ROOT


def read(text: str) -> MappingFile:
    return parse(text, "shop.yaml", settings_models())


def findings(text: str) -> list[str]:
    with pytest.raises(MappingRefused) as refused:
        read(text)
    return list(map(str, refused.value.findings))


def test_everything_wrong_is_told_at_once_with_its_line() -> None:
    text = shop.MAPPING.replace("zone: Europe/London", "zone: Europe/Lundon, colour: red")
    text = text.replace("version: 1", "version: 0").replace(shop.SHOP, "harbour.example.com")
    told = findings(text)
    assert [line.split(" ")[0] for line in told] == [
        "shop.yaml:5:",
        "shop.yaml:8:",
        "shop.yaml:8:",
        "shop.yaml:21:",
    ]
    assert "unknown key 'colour'" in "".join(told)
    assert "'Europe/Lundon': expected an IANA zone" in "".join(told)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("system: shopify", "system: shopware", "unknown 'shopware'"),
        ("loyalty.adapter/v1", "loyalty.adapter/v9", "schema"),
        ("currencies: [GBP]", "currencies: []", "at least 1"),
        ("currencies: [GBP]", "currencies: [ABC]", "ISO 4217"),
        ("code: line,", "code: sku/WINE-*,", "stands there twice"),
        ("identities:", "places: []\nidentities:", "written twice"),
        ("system: shopify", "system: &s shopify", "anchors"),
        ("source:", "\tsource:", "no YAML"),
        ("connection: web-shop", "connection: Web Shop", "connection"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, words: str) -> None:
    text = shop.MAPPING.replace("version: 1", "version: 1\nsource: shop").replace(old, new, 1)
    assert words in "\n".join(findings(text))


def test_the_digest_is_of_what_it_says_not_of_how() -> None:
    first = read(shop.MAPPING)
    assert first.digest == read(shop.MAPPING.replace("own_actors", "# a remark\nown_actors")).digest
    assert first.digest != read(shop.MAPPING.replace("goods", "general")).digest
    settings = shop.MAPPING + "  amounts: gross\n"
    assert first.digest != read(settings).digest


def test_the_longest_row_that_fits_counts() -> None:
    mapping = read(shop.MAPPING)
    assert mapping.category("sku/WINE-1", "line") == "drink"
    assert mapping.category("sku/BEER-1", "line") == "goods"
    assert mapping.category("shipping") == "shipping"
    for code in ("other", "fee"):
        with pytest.raises(Parked):
            mapping.category(code)


def test_an_identity_that_cannot_be_one_is_left_out() -> None:
    members = read(shop.MAPPING).members
    assert members({"customer": "", "email": "x" * 200}) == ()
    assert members({"customer": 7, "fax": "1"})[0].value == "7"
    assert members({"email": " A@B.example "})[0].value == "a@b.example"


@pytest.mark.parametrize("told", ["@", "guest@", "@example.com", "none", " "])
def test_what_stands_for_no_address_is_nobody(told: str) -> None:
    mapping = read(shop.MAPPING)
    assert mapping.members({"email": told}) == ()
    (known,) = mapping.members({"email": " Guest@Example.com"})
    assert known.value == "guest@example.com"


def test_a_file_that_is_not_there_is_told_without_numbers_of_the_system(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["adapter", "check", str(tmp_path / "no.yaml")])
    assert result.exit_code == 1
    assert result.output.endswith("no.yaml: it cannot be read: No such file or directory\n")


def test_the_sample_is_what_the_page_shows_and_can_be_translated() -> None:
    page = (ROOT / "docs" / "adapters" / "README.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    samples = ROOT / "docs" / "examples"
    assert (samples / "web-shop.yaml").read_text(encoding="utf-8") == shown
    files = [str(samples / "shopify-order.json"), "--mapping", str(samples / "web-shop.yaml")]
    result = CliRunner().invoke(app, ["adapter", "translate", "shopify", *files])
    assert result.exit_code == 0, result.output
    assert '"net_minor_units": "3800"' in result.output
