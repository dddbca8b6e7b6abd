"""What every adapter owes: a page, a row in the table, refusals of what is forged or hostile."""

from pathlib import Path

import pytest

from adapters.frame.connections import systems
from adapters.frame.mapping import Row
from adapters.frame.words import Outcome

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "adapters"
every_system = pytest.mark.parametrize("name", sorted(systems()))


@every_system
def test_it_is_named_as_its_module_and_has_a_page_and_a_row(name: str) -> None:
    assert (ROOT / "adapters" / f"{name}.py").is_file() or (ROOT / "adapters" / name).is_dir()
    assert (PAGES / f"{name}.md").is_file()
    assert f"]({name}.md) |" in (PAGES / "README.md").read_text(encoding="utf-8")


@every_system
def test_it_has_tests(name: str) -> None:
    assert list((ROOT / "tests" / "adapters").glob(f"test_{name}*.py"))


@every_system
def test_its_settings_take_no_unknown_key(name: str) -> None:
    model = systems()[name].settings
    assert issubclass(model, Row)
    assert model.model_config.get("extra") == "forbid"


@every_system
def test_it_acknowledges_what_is_kept_and_refuses_what_is_not(name: str) -> None:
    adapter = systems()[name]
    assert 200 <= adapter.reply(Outcome.ACCEPTED).status < 300
    assert adapter.reply(Outcome.DUPLICATE) == adapter.reply(Outcome.ACCEPTED)
    assert adapter.reply(Outcome.BUSY) != adapter.reply(Outcome.ACCEPTED)
    assert adapter.reply(Outcome.FORGED) != adapter.reply(Outcome.ACCEPTED)


@every_system
def test_its_bounds_are_stated(name: str) -> None:
    adapter = systems()[name]
    assert adapter.version >= 1
    assert 1_024 <= adapter.body_max <= 16 * 1024 * 1024
    assert all(header == header.lower() for header in adapter.kept_headers)
    assert adapter.pull_seconds == 0 or adapter.pull_seconds >= 60
