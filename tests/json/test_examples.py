"""The examples of docs/json.md, run by a shell as a reader would, answer as it says they do."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.json.asking import Web

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "json.md"
EXAMPLE = re.compile(r"^```sh\n(.*?)^```\n\n```json\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


def examples() -> list[tuple[str, Any]]:
    """Commands with what they answer."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = [(command, json.loads(answer)) for command, answer in EXAMPLE.findall(text)]
    assert len(found) == text.count("```sh")
    return found


def differences(said: Any, got: Any, path: str = "") -> list[str]:
    """Where an answer lacks what was said; it may have more fields."""
    if said == ANYTHING:
        return [] if got else [f"{path} is empty"]
    if isinstance(said, dict) and isinstance(got, dict):
        return [
            found
            for name, value in said.items()
            for found in differences(value, got.get(name), f"{path}.{name}")
        ]
    if isinstance(said, list) and isinstance(got, list) and len(said) == len(got):
        pairs = enumerate(zip(said, got, strict=True))
        return [
            found
            for at, (one, other) in pairs
            for found in differences(one, other, f"{path}[{at}]")
        ]
    return [] if said == got else [f"{path}: said {said!r}, got {got!r}"]


async def test_every_example_answers_as_it_says(web: Web) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    environment = {
        "PATH": os.environ["PATH"],
        "LOYALTY_URL": f"http://{web.host}:{web.port}",
        "LOYALTY_TOKEN": web.token,
    }
    for command, said in examples():
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euc", command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, (command, err)
        assert not differences(said, json.loads(out)), (command, out)


def test_a_difference_is_found() -> None:
    assert differences({"a": [1, {"b": "…"}]}, {"a": [1, {"b": "x"}], "c": 2}) == []
    assert differences({"a": [1, {"b": "…"}]}, {"a": [1, {"b": ""}]}) == [".a[1].b is empty"]
    assert differences({"a": [1]}, {"a": [1, 2]}) == [".a: said [1], got [1, 2]"]
