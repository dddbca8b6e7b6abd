"""History files, read chunk by chunk."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

import rules
from ledger.backtest.shape import ERASED, HISTORY, MOVED, POLICIES
from ledger.core.instant import Instant

CHUNK: Final = 100_000
"""Documents that are in memory at once."""


class NoHistory(Exception):
    """The file is no history; the text says why."""


class Chunk(NamedTuple):
    """Documents as they stand now, and how many rows of the file were read for them."""

    documents: pl.DataFrame
    rows: int


class History:
    """A history file. `rows` counts the versions in it."""

    def __init__(self, file: Path) -> None:
        """Open it. Raises NoHistory."""
        try:
            self._file = pq.ParquetFile(file)
        except (OSError, pa.ArrowInvalid) as error:
            raise NoHistory(f"{file}: no Parquet file: {error}") from None
        found = set(self._file.schema_arrow.names)
        if missing := [name for name in HISTORY if name not in found]:
            raise NoHistory(
                f"{file}: column {missing[0]!r} is missing; `loyalty policy backtest"
                " --save-history` writes what is needed"
            )
        self.rows: int = self._file.metadata.num_rows

    @cached_property
    def erased(self) -> frozenset[str]:
        """Members who were erased by the time the file was written."""
        # Known only once all was written, so it stands at the end of the file, not in its schema.
        metadata = self._file.metadata.metadata or {}
        return frozenset(json.loads(metadata.get(ERASED, b"[]")))

    @cached_property
    def policies(self) -> dict[str, rules.Policy]:
        """The published policies by the digest they were published with."""
        metadata = self._file.schema_arrow.metadata or {}
        raw: dict[str, str] = json.loads(metadata.get(POLICIES, b"{}"))
        return {
            digest: rules.compile_policy(rules.load(text), published=True)
            for digest, text in raw.items()
        }

    def chunks(
        self, *, from_at: Instant | None, to_at: Instant | None, size: int = CHUNK
    ) -> Iterator[Chunk]:
        """Give the documents that occurred in [from_at, to_at), in the order of recording.

        Of several versions of a document the last counts, in its own place.
        """
        newest, begin = self._newest(), 0
        names = list(HISTORY)
        for batch in self._file.iter_batches(batch_size=size, columns=names):
            frame = pl.from_arrow(batch)
            assert isinstance(frame, pl.DataFrame)
            kept = pl.Series(newest[begin : begin + frame.height])
            begin += frame.height
            occurred = pl.col("occurred_at")
            wanted = [pl.lit(kept), pl.col("status") != MOVED]
            if from_at is not None:
                wanted.append(occurred >= from_at)
            if to_at is not None:
                wanted.append(occurred < to_at)
            yield Chunk(frame.filter(*wanted), frame.height)

    def _newest(self) -> npt.NDArray[np.bool_]:
        """Say of each row whether no later one has its key: eight bytes a row."""
        batches = self._file.iter_batches(batch_size=CHUNK, columns=["key"])
        keys = [batch.column(0).to_numpy() for batch in batches]
        every = np.concatenate(keys)[::-1] if keys else np.zeros(0, dtype=np.uint64)
        _, last = np.unique(every, return_index=True)
        newest = np.zeros(len(every), dtype=np.bool_)
        newest[len(every) - 1 - last] = True
        return newest
