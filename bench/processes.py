"""What processes use: CPU time and memory of the server, of PostgreSQL, and of everybody else."""

import os
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import NamedTuple

import psutil


class Used(NamedTuple):
    """CPU seconds since whenever each process began; only differences mean anything."""

    server: float
    postgres: float
    client: float
    """Processes of ours that have ended: the load generators."""
    bench: float
    machine: float

    def since(self, before: "Used") -> "Used":
        """What was used in between."""
        return Used(*(now - then for now, then in zip(self, before, strict=True)))

    @property
    def foreign(self) -> float:
        """Used by processes that have nothing to do with us."""
        return max(0.0, self.machine - self.server - self.postgres - self.client - self.bench)

    def per_operation(self, operations: int) -> Mapping[str, float]:
        """Microseconds of each for one operation."""
        return {
            "server": 1e6 * self.server / operations,
            "postgres": 1e6 * self.postgres / operations,
            "client": 1e6 * self.client / operations,
        }


class Memory(NamedTuple):
    """Mebibytes. PostgreSQL's is proportional: pages that its processes share count once."""

    server: float
    postgres: float


class Watched:
    """The processes of a site."""

    def __init__(self, data_dir: Path) -> None:
        """Watch the embedded PostgreSQL of `data_dir`, which runs; no server yet."""
        pid_file = data_dir / "postgresql" / "data" / "postmaster.pid"
        self._postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
        self.server: psutil.Process | None = None

    def used(self) -> Used:
        """CPU seconds up to now."""
        own, children = getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)
        machine = psutil.cpu_times()
        busy = sum(machine) - machine.idle - getattr(machine, "iowait", 0.0)
        # On Linux guests' time is part of the user's; what a hypervisor took was nobody's here.
        for name in ("guest", "guest_nice", "steal"):
            busy -= getattr(machine, name, 0.0)
        return Used(
            server=0.0 if self.server is None else _cpu(self.server),
            postgres=self._postgres_cpu(),
            client=children.ru_utime + children.ru_stime,
            bench=own.ru_utime + own.ru_stime,
            machine=busy,
        )

    def memory(self) -> Memory:
        """What is resident now."""
        server = 0 if self.server is None else self.server.memory_info().rss
        return Memory(server / 2**20, sum(map(_proportional, self._family())) / 2**20)

    def _family(self) -> list[psutil.Process]:
        return [self._postmaster, *self._postmaster.children(recursive=True)]

    def _postgres_cpu(self) -> float:
        ended = self._postmaster.cpu_times()
        total = ended.children_user + ended.children_system
        for process in self._family():
            try:
                total += _cpu(process)
            except psutil.NoSuchProcess:
                continue
        return total


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _proportional(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, AttributeError):
        return 0


def file_system(folder: Path) -> str:
    """Kind of the file system that a folder lies on, "unknown" where it cannot be told."""
    real = os.path.realpath(folder)
    best = max(
        (each for each in psutil.disk_partitions(all=True) if _below(real, each.mountpoint)),
        key=lambda each: len(each.mountpoint),
        default=None,
    )
    return "unknown" if best is None else best.fstype


def _below(path: str, mountpoint: str) -> bool:
    return path == mountpoint or path.startswith(mountpoint.rstrip("/") + "/")
