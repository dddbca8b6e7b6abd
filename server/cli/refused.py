"""What is wrong with a file, or with a row of it.

It is apart from what reads files: that takes longer to load than most commands to run.
"""


class FileRefused(Exception):
    """The file as a whole cannot be imported; says what would be right."""


class RowRefused(Exception):
    """One row is wrong; names the column, the value and what would be right."""

    def __init__(self, column: str, value: object, expected: str) -> None:
        """Keep the words of the message."""
        super().__init__(f"{column} = {value!r}: expected {expected}")
