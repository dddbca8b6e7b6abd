"""The columns of a history file: documents as the rules see them, and what was granted."""

from typing import Final

import polars as pl

from rules.sets import DOCUMENTS

GRANT: Final = pl.Struct(
    {
        "rule": pl.String,
        "currency": pl.String,
        "funder": pl.String,
        "campaign": pl.String,
        "window": pl.String,
        "wanted": pl.Int64,
        "granted": pl.Int64,
        "cut_by": pl.String,
    }
)
_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.UInt64,
    "recorded_at": pl.Int64,
    "policy": pl.String,
    "enrolled_at": pl.Int64,
    **DOCUMENTS,
    "grants": pl.List(GRANT),
}
HISTORY: Final = pl.Schema(_COLUMNS)
"""One row for every version of a document, in the order of recording.

`key` is a hash of the document's key: of rows with one key the last is the document as it stands.
A row whose `status` is MOVED and which has nothing else says that it is another member's now.
`policy` is the digest that it was evaluated under. `enrolled_at` is null where it is not known.
"""
MOVED: Final = "MOVED"
ERASED: Final = b"loyalty.erased"
"""Name of the file's metadata: JSON of the members who were erased since."""
POLICIES: Final = b"loyalty.policies"
"""Name of the file's metadata: JSON of the published policies, expanded, by digest."""
