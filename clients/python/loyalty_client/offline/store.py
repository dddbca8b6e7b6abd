"""The file of a queue: SQLite, every commit forced to the disk before it counts."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any, Final

from loyalty_client.offline.errors import QueueUnusable

FORMAT: Final = 1
BUSY_SECONDS: Final = 10.0

# Times are microseconds since the Unix epoch, UTC.
_SCHEMA: Final = """
CREATE TABLE upload (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE,
    method TEXT NOT NULL,
    request BLOB NOT NULL,
    given BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'posted', 'refused', 'dismissed')),
    answer BLOB,
    sent_as TEXT,
    hold_id TEXT,
    queued_at INTEGER NOT NULL,
    answered_at INTEGER
);
CREATE INDEX upload_waiting ON upload (number) WHERE state = 'waiting';
CREATE TABLE allowance (
    hold_id TEXT PRIMARY KEY,
    request BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'unwanted', 'refused', 'open', 'ended')),
    points INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0 CHECK (spent BETWEEN 0 AND points),
    sent_as TEXT,
    ends_at INTEGER
);
"""


class Store:
    """One connection to the file, shared by the threads of a process."""

    def __init__(self, path: str | PathLike[str]) -> None:
        """Open the file, and make it if it is not there.

        Raises:
            QueueUnusable: it is another release's, or its disk cannot keep it safe.
        """
        self._turn = threading.RLock()
        self.connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self.connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        [mode] = self.connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise QueueUnusable(f"SQLite offers {mode!r} here instead of a write-ahead log")
        # FULL: a commit returns when it is on the disk, not when the system has it.
        self.connection.execute("PRAGMA synchronous = FULL")
        # The disks of a Mac lie otherwise; elsewhere it changes nothing.
        self.connection.execute("PRAGMA fullfsync = ON")
        with self.writing():
            [found] = self.connection.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):
                raise QueueUnusable(f"the file has format {found}, this release knows {FORMAT}")
            if not found:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self.connection.execute(statement)
                self.connection.execute(f"PRAGMA user_version = {FORMAT}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written in the block is written when it ends, or nothing of it."""
        with self._turn:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._turn:
            return self.connection.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> Any:
        """The first row of a query; None: there is none."""
        with self._turn:
            return self.connection.execute(query, values).fetchone()

    def change(self, statement: str, *values: object) -> int:
        """Change rows, inside `writing`; how many."""
        return self.connection.execute(statement, values).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self.connection.close()
