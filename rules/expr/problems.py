"""How an expression says no: while it is read, and while it is answered."""

import unicodedata
from dataclasses import dataclass


class ExprError(Exception):
    """An expression that cannot be accepted; `column` counts its characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        self.message = message
        self.column = column
        super().__init__(f"column {column}: {message}")

    def shown(self, text: str) -> str:
        """Show the line of `text` that is meant, with a caret under the place."""
        before = text[: self.column - 1]
        start = before.rfind("\n") + 1
        line = text[start:].split("\n", 1)[0]
        # Chinese characters are two columns wide on a screen, and a tab must stay a tab.
        pad = "".join(
            "\t" if c == "\t" else "  " if unicodedata.east_asian_width(c) in "WF" else " "
            for c in before[start:]
        )
        return f"{self}\n  {line}\n  {pad}^"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a condition has no answer: a value is missing, too large, or divided by zero.

    It counts as false, so whoever only asks `if test(values)` is right.
    """

    message: str

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return self.message
