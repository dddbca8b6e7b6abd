"""Refusals as exceptions of the Python client, written from the ledger's own.

`python -m server.status` writes clients/python/loyalty_client/refusals/ beside docs/refusals.md.
"""

import dataclasses
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ledger.core.refusals import ALL_REFUSALS, Refusal

TARGET: Final = Path(__file__).resolve().parent.parent / "clients/python/loyalty_client/refusals"
LINE: Final = 100
_WRITTEN: Final = "Written by `python -m server.status`."


def modules() -> Mapping[str, str]:
    """Text of each module, by file name."""
    by_module: dict[str, list[type[Refusal]]] = {}
    for refusal in ALL_REFUSALS:
        by_module.setdefault(refusal.__module__.rpartition(".")[2], []).append(refusal)
    texts = {f"{name}.py": _module(found) for name, found in by_module.items()}
    return {"__init__.py": _index(by_module), **texts}


def _index(by_module: Mapping[str, list[type[Refusal]]]) -> str:
    head = f'"""Every reason of docs/refusals.md as an exception. {_WRITTEN}"""\n\n'
    return head + "".join(
        f"from loyalty_client.refusals.{module} import {name} as {name}\n"
        for module, found in sorted(by_module.items())
        for name in sorted((refusal.__name__ for refusal in found), key=str.lower)
    )


def _module(found: list[type[Refusal]]) -> str:
    head = f'"""Some of the refusals. {_WRITTEN}"""\n\nfrom loyalty_client.errors import Refusal\n'
    return head + "".join(map(_class, found))


def _class(refusal: type[Refusal]) -> str:
    meaning = " ".join((refusal.__doc__ or "").strip().split("\n\n")[0].split())
    text = textwrap.fill(f'"""{meaning}"""', LINE, initial_indent="    ", subsequent_indent="    ")
    fields = [
        # A field of either type is read as text.
        f"    {item.name}: {'int' if item.type is int else 'str'}\n"
        for item in dataclasses.fields(refusal)
    ]
    name = refusal.__name__
    return f'\n\nclass {name}(Refusal):\n{text}\n\n    reason = "{refusal.reason}"\n' + "".join(
        fields
    )


def write(target: Path = TARGET) -> None:
    """Write the modules, and remove those that are no more."""
    target.mkdir(exist_ok=True)
    texts = modules()
    for path in target.glob("*.py"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")
