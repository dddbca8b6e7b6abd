"""How the tests read what is in deploy/."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from adapters.frame.settings import PREFIX, AdapterSettings
from server.config import CONFIG_FILE, Settings, setting_name

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
OPERATIONS: Final = ROOT / "docs" / "operations.md"
DOCKERFILE: Final = DEPLOY / "Dockerfile"
SETTINGS: Final = frozenset(map(setting_name, Settings.model_fields)) | {CONFIG_FILE}
ADAPTER_SETTINGS: Final = frozenset(PREFIX + name.upper() for name in AdapterSettings.model_fields)


@cache
def text(path: Path) -> str:
    """Content of a file."""
    return path.read_text(encoding="utf-8")


def document(path: Path) -> Any:
    """The one YAML document of a file."""
    return yaml.safe_load(text(path))


def instructions() -> Iterator[tuple[str, str]]:
    """The Dockerfile's instructions as (name, arguments), continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text(DOCKERFILE), flags=re.MULTILINE))
    for line in filter(str.strip, joined.splitlines()):
        name, _, arguments = line.partition(" ")
        yield name, arguments.strip()
