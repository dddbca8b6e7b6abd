"""A setting that is named in deploy/ or in the operator's manual is one that the service reads."""

import re
from pathlib import Path

import pytest

from adapters.frame.settings import AdapterSettings
from server.config import Settings
from tests.deploy.files import (
    ADAPTER_SETTINGS,
    DEPLOY,
    OPERATIONS,
    ROOT,
    SETTINGS,
    document,
    text,
)

NAMED = re.compile(r"\b(?:LOYALTY|DATABASE_URL)(?:_[A-Z]+)*\b")
TABLE_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \|", re.MULTILINE)
# In the file's own prose: LOYALTY_… stands for all of them.
PREFIX = "LOYALTY"
# What commands read in the place of their options, not the service.
OF_COMMANDS = {
    "LOYALTY_SERVER",
    "LOYALTY_TOKEN",
    "LOYALTY_CA",
    "LOYALTY_SHARED",
    "LOYALTY_OPERATOR",
    "LOYALTY_GATEWAY_LISTEN",
}
FILES = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file()
    and "secrets" not in path.relative_to(DEPLOY).parts
    and path.suffix not in (".pyc", ".binpb")
)


@pytest.mark.parametrize("path", [*FILES, OPERATIONS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    known = SETTINGS | ADAPTER_SETTINGS | OF_COMMANDS | {PREFIX}
    assert not set(NAMED.findall(text(path))) - known


def test_what_commands_read_is_read_by_a_command() -> None:
    sources = [text(path) for path in (ROOT / "server").rglob("*.py")]
    for name in OF_COMMANDS:
        assert any(name in source for source in sources)


def test_the_manual_has_a_row_for_every_setting_and_no_other() -> None:
    named = {name for name, _ in TABLE_ROW.findall(text(OPERATIONS))}
    assert named == SETTINGS | ADAPTER_SETTINGS


def test_the_manual_states_the_defaults_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS | ADAPTER_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    said = dict(TABLE_ROW.findall(text(OPERATIONS)))
    spelled = {True: "on", False: "off", "": "empty"}
    defaults = dict(Settings(data_dir=Path("~/.local/share/loyalty")).summary())
    defaults |= AdapterSettings().summary()
    for name, value in defaults.items():
        if name != "LOYALTY_DATA_DIR":
            wanted = spelled[value] if isinstance(value, bool) or value == "" else str(value)
            assert said[name].strip("`") == wanted, name


def test_the_settings_for_kubernetes_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for line in text(DEPLOY / "kustomize" / "base" / "settings.env").splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    Settings()


def test_the_overlays_settings_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    overlay = document(DEPLOY / "kustomize" / "overlays" / "example" / "kustomization.yaml")
    for literal in overlay["configMapGenerator"][0]["literals"]:
        monkeypatch.setenv(*literal.split("=", 1))
    Settings()
