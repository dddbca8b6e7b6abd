"""What the commands advise is written once, so that it is the same wherever it is told."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import server.cli

COMMANDS = sorted(Path(server.cli.__file__).parent.glob("*.py"))


def advice(tree: ast.AST) -> Iterator[str]:
    """Texts that are told in one place: `advice=` of a failure, and what is advised next."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        told = [each.value for each in node.keywords if each.arg == "advice"]
        if ast.unparse(node.func) in ("console.advise", "advise"):
            told += node.args
        for text in told:
            if isinstance(text, ast.Constant | ast.JoinedStr):
                yield ast.unparse(text)


def test_no_advice_is_written_twice() -> None:
    written = Counter(
        text for path in COMMANDS for text in advice(ast.parse(path.read_text(encoding="utf-8")))
    )
    assert written
    assert [text for text, times in written.items() if times > 1] == []
