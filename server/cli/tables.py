"""Files that are tables, CSV or Parquet: their rows one after the other, and exact cells."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.core.instant import Instant, from_datetime
from server.cli.refused import FileRefused, RowRefused

WHOLE: Final = re.compile(r"-?\d{1,15}")
_MORE: Final = "(more)"
"""Column of what stands in a row beyond the last one that the file names."""


def table_rows(
    path: Path, check_columns: Callable[[list[str]], None]
) -> Iterator[dict[str, object]]:
    """Rows of a file, read as they are asked for. Raises FileRefused."""
    if not path.is_file():
        raise FileRefused(f"there is no file {path}")
    try:
        yield from _rows(path, check_columns)
    except UnicodeDecodeError:
        raise FileRefused(f"{path.name}: expected text in UTF-8; save it as CSV UTF-8") from None
    except (csv.Error, pa.ArrowException) as error:
        kind = "Parquet" if is_parquet(path) else "CSV"
        raise FileRefused(f"{path.name} cannot be read as {kind}: {error}") from None


def _rows(path: Path, check_columns: Callable[[list[str]], None]) -> Iterator[dict[str, object]]:
    if is_parquet(path):
        file = pq.ParquetFile(path)
        check_columns(file.schema_arrow.names)
        for batch in file.iter_batches():
            yield from batch.to_pylist()
    elif path.suffix.lower() == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as text:
            rows = csv.DictReader(text, restkey=_MORE)
            check_columns(list(rows.fieldnames or ()))
            yield from rows
    else:
        raise FileRefused(f"{path.name}: expected a file named .csv or .parquet")


def require_columns(
    names: Sequence[str], required: Collection[str], known: Collection[str]
) -> None:
    """Refuse a file that lacks a column, or has one that would be lost. Raises FileRefused."""
    if len(names) == 1 and (found := re.search("[;\t]", names[0])):
        used = "semicolons" if found[0] == ";" else "tabs"
        raise FileRefused(f"columns are separated by {used}: expected a CSV file with commas")
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in known]
    if missing:
        raise FileRefused(f"columns are missing: {', '.join(missing)}")
    if unknown:
        raise FileRefused(
            f"columns are not known: {', '.join(unknown)}; known are {', '.join(known)}"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise FileRefused(f"columns are named twice: {', '.join(twice)}; expected each once")


def require_no_more(row: Mapping[str, object]) -> None:
    """Refuse a row with cells beyond the last column: they would be lost. Raises RowRefused."""
    if _MORE in row:
        raise RowRefused(
            "beyond the last column",
            row[_MORE],
            'no more cells than columns: a value with a comma stands in quotes ("a, b"), and an'
            " amount has a point (12.50)",
        )


def is_parquet(path: Path) -> bool:
    """Whether a file is named as a Parquet file."""
    return path.suffix.lower() in (".parquet", ".pq")


def text_of(value: object) -> str:
    """A cell as text; what is missing is empty."""
    return "" if value is None else str(value).strip()


def identity_of(column: str, text: str) -> tuple[str, str] | None:
    """A member as (scheme, value); None for none. Raises RowRefused."""
    if not text:
        return None
    scheme, colon, value = text.partition(":")
    if not (scheme and colon and value):
        raise RowRefused(column, text, 'scheme:value such as "card:8800", or nothing')
    return scheme, value


def instant_of(column: str, value: object, zone: ZoneInfo | None) -> Instant:
    """A time with its zone, or with the one that is named for all. Raises RowRefused."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(text_of(value))
    except ValueError:
        raise RowRefused(column, value, "2017-03-01T14:05:00Z") from None
    if moment.tzinfo is None:
        if zone is None:
            raise RowRefused(
                column, text_of(value), "a time with its zone; --zone names one for all"
            )
        moment = moment.replace(tzinfo=zone)
    return from_datetime(moment)
