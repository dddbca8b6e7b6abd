"""What the commands on files of source systems share: mapping, progress, and what they tell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.cli import console

if TYPE_CHECKING:
    from adapters.frame.adapter import Connection
    from adapters.frame.importing import Imported

SHOWN_MAX: Final = 20


def connection_for(system: str, files: Sequence[Path], mapping: Path) -> "Connection":
    """Return the connection of a mapping file, which has to be of this system.

    Raises MappingRefused. Ends the command when a file cannot be read, or the system is another.
    """
    from adapters.frame.connections import connection_of, read_mapping

    connection = connection_of(read_mapping(mapping), None)
    if connection.mapping.system != system:
        console.fail(
            f"{mapping} is a mapping of {connection.mapping.system!r}, not of {system!r}",
            code=console.USAGE,
        )
    for file in files:
        if not file.is_file():
            console.fail(f"{file}: there is no such file", code=console.USAGE)
    return connection


@contextmanager
def shown_advance() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each step of an import inside the block."""
    with console.progress() as bars:
        tasks: dict[str, tuple[object, int]] = {}

        def advanced(what: str, more: int, total: int) -> None:
            if tasks.get(what, (None, 0))[1] != total:
                tasks[what] = bars.add_task(what, total=total), total
            bars.advance(tasks[what][0], more)  # type: ignore[arg-type]

        yield advanced


def tell(done: "Imported", *, json: bool) -> None:
    """Print what an import did, and how what it brought in stands now."""
    if json:
        console.print_json(asdict(done))
        return
    console.out.print(f"messages: {done.messages:,}, known from before: {done.known:,}")
    for problem in done.problems:
        console.err.print(problem, markup=False)
    for what, found in (
        ("messages", done.unread),
        ("items", done.items),
        ("documents", done.subjects),
    ):
        for line in _lines(found):
            console.out.print(f"{what} {line}", markup=False)
    for gap in done.gaps:
        console.out.print(f"gap: {gap}", markup=False)
    if not done.is_whole:
        console.err.print("`loyalty adapter dead` lists what is stuck")


def _lines(found: Mapping[str, int]) -> Iterator[str]:
    most = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    yield from (f"{name}: {count}" for name, count in most[:SHOWN_MAX])
    if len(most) > SHOWN_MAX:
        yield f"… and {len(most) - SHOWN_MAX} more reasons"
