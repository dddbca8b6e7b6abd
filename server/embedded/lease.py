"""Sharing one embedded server between processes: the first starts it, the last one stops it.

Two lock files: `start.lock` is held while someone starts or stops; `users.lock` is held shared by
everyone who uses the server. The kernel drops both when a process dies, however it dies.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from server.embedded.cluster import WAIT_SECONDS, Cluster
from server.embedded.errors import EmbeddedError

POLL_SECONDS: Final = 0.05
UNSEEN_SECONDS: Final = 15.0

log = structlog.get_logger(__name__)


class _ServerUnseen(EmbeddedError):
    """Others hold the data directory, and no server of theirs runs where we can see it."""


class Lease:
    """The right to use the embedded server of one data directory, for this process."""

    def __init__(
        self,
        data_dir: Path,
        *,
        parameters: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Name the data directory; nothing is touched before `open`.

        Args:
            data_dir: made if it is missing.
            parameters: server settings that differ from the usual (only if we start it).
            env: environment variables for the server (only if we start it).
        """
        self._data_dir = data_dir.expanduser().resolve()
        self._parameters = parameters or {}
        self._env = env or {}
        self._closing = threading.Event()
        self._turn = threading.Lock()
        self._cluster: Cluster | None = None
        self._users = -1

    def open(self) -> str:
        """Start the server, or attach to the one that runs, and return its URL.

        Raises:
            EmbeddedError: with advice.
        """
        with self._turn:
            try:
                return self._attach_or_start()
            except PermissionError as error:
                raise EmbeddedError(
                    f"{self._data_dir} belongs to another user: {error}",
                    advice="Start as that user, or set LOYALTY_DATA_DIR to a folder of your own",
                ) from error

    def _attach_or_start(self) -> str:
        """Open, and where others are in charge give them time to revive a server that died.

        Never start beside them: a server of theirs that we cannot see (in another container,
        say) would share its files with ours.
        """
        deadline = time.monotonic() + UNSEEN_SECONDS
        while True:
            try:
                return self._open()
            except _ServerUnseen:
                if self._closing.is_set() or time.monotonic() > deadline:
                    raise
            time.sleep(POLL_SECONDS)

    def _open(self) -> str:
        cluster = Cluster(self._data_dir, parameters=self._parameters, env=self._env)
        with self._exclusively():
            users = _open_lock(self._data_dir / "users.lock")
            alone = _try_lock(users, fcntl.LOCK_EX)
            try:
                if not alone and cluster.postmaster() is None:
                    raise _ServerUnseen(
                        f"another process uses {self._data_dir}, but its PostgreSQL is not here",
                        advice="End that process, or set LOYALTY_DATA_DIR to another folder",
                    )
                cluster.create()
                self._bring_up(cluster, alone=alone)
                fcntl.flock(users, fcntl.LOCK_SH)
            except BaseException:
                if alone:
                    cluster.stop()
                os.close(users)
                raise
            self._cluster, self._users = cluster, users
        return cluster.url

    def revive(self) -> None:
        """Start the server again if it died under us, on the same port; else do nothing.

        Raises:
            EmbeddedError: it does not start.
        """
        with self._turn:
            if self._cluster is None or self._cluster.postmaster() is not None:
                return
            with self._exclusively():
                if self._cluster.postmaster() is None:
                    log.warning("the embedded PostgreSQL has died and is started again")
                self._bring_up(self._cluster, alone=False)

    def close(self) -> None:
        """Let go; whoever is last stops the server. An `open` under way gives up."""
        self._closing.set()
        with self._turn:
            if self._cluster is None:
                return
            cluster, users = self._cluster, self._users
            self._cluster = None
            # From here on the flag would only keep ourselves from stopping the server.
            self._closing.clear()
            try:
                with self._exclusively():
                    if _try_lock(users, fcntl.LOCK_EX):
                        cluster.stop()
                    else:
                        cluster.leave()
            finally:
                os.close(users)

    def _bring_up(self, cluster: Cluster, *, alone: bool) -> None:
        if cluster.postmaster() is None:
            cluster.start(alone=alone, abandoned=self._closing.is_set)
        else:
            cluster.await_ready(self._closing.is_set)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold `start.lock`; whoever starts may be waiting for a recovery, so wait as long."""
        lock = _open_lock(self._data_dir / "start.lock")
        try:
            deadline = time.monotonic() + WAIT_SECONDS
            while not _try_lock(lock, fcntl.LOCK_EX):
                if self._closing.is_set() or time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"another process is still starting or stopping PostgreSQL in"
                        f" {self._data_dir}",
                        advice="Wait for it, or end it, and start again",
                    )
                time.sleep(POLL_SECONDS)
            yield
        finally:
            os.close(lock)


def _open_lock(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
