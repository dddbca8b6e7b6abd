"""What runs on a data directory: read from `postmaster.pid` and from the table of processes."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server, as its `postmaster.pid` describes it."""

    pid: int
    port: int
    ready: bool

    def interrupt(self) -> None:
        """Ask for a fast shutdown: sessions end, everything is written, the server leaves."""
        try:
            os.kill(self.pid, signal.SIGINT)
        except ProcessLookupError:
            return


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the server that runs on `data`, None if there is none (whatever the file says)."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    # The file grows line by line while the server starts; line 4 is the port, line 8 the state.
    if len(lines) < 4 or not lines[0].isdigit() or not lines[3].isdigit():
        return None
    pid = int(lines[0])
    if not _runs_on(data, pid):
        return None
    return Postmaster(pid, int(lines[3]), ready=len(lines) >= 8 and lines[7].strip() == "ready")


def remove_stale_pid_file(data: Path) -> None:
    """Remove what a killed server left behind, so that a reused process id cannot mislead.

    PostgreSQL looks whether *a* process of that id exists. In a container, where ids start from 1
    again, one often does. The caller knows that nobody else can have started a server; a process
    that may belong to the old one keeps the file, and PostgreSQL decides.
    """
    if not PROC.is_dir():
        return
    pids = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())
    if not any(_may_work_in(data, pid) for pid in pids):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _runs_on(data: Path, pid: int) -> bool:
    # The command line tells the data directory, and unlike the working directory it can be read
    # by a root without the right to trace, as in a container. That of a zombie is empty.
    if PROC.is_dir():
        try:
            return os.fsencode(data) in (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _may_work_in(data: Path, pid: int) -> bool:
    process = PROC / str(pid)
    try:
        return (process / "cwd").readlink() == data
    except PermissionError:
        return _is_postgres(process)
    except OSError:
        return False


def _is_postgres(process: Path) -> bool:
    try:
        return (process / "comm").read_text().strip() == "postgres"
    except OSError:
        return False
