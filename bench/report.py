"""What a run found out, as tables for people."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from bench.figures import ALSO, FLAT, TARGETS, Book, Sample, Spread, Target, spread


def show(book: Book, console: Console, *, judged: bool) -> None:
    """Print everything; without `judged` no figure is held against its bound."""
    console.print(_measures(book))
    if any(name.startswith("split.") and found for name, found in book.samples.items()):
        console.print(_split(book))
    console.print(_targets("Figures asked for", book, TARGETS, judged=judged))
    console.print(_targets("Worth knowing", book, ALSO, judged=judged))
    _show_replay(book, console)
    _show_memory(book, console, judged=judged)
    for what, reason in book.skipped.items():
        console.print(f"[yellow]not measured: {what}: {reason}")
    for what, problem in book.failed.items():
        console.print(f"[red]failed: {what}: {problem}")


def _measures(book: Book) -> Table:
    table = Table(title="Medians over rounds (least to greatest)", title_justify="left")
    table.add_column("measure")
    for heading in ("a second", "p50 ms", "p99 ms", "events/s", "CPU µs: server", "postgres",
                    "client", "foreign"):  # fmt: skip
        table.add_column(heading, justify="right")
    for name, rounds in book.samples.items():
        if rounds:
            table.add_row(name, *_row(list(rounds.values())))
    return table


def _row(samples: list[Sample]) -> Iterable[str]:
    rate = spread([each.rate for each in samples])
    yield _range(rate) if len(samples) > 1 else f"{rate.median:,.0f}"
    for field, digits in (("p50_ms", 2), ("p99_ms", 2), ("events", 0)):
        yield _median([getattr(each, field) for each in samples], digits)
    for process in ("server", "postgres", "client"):
        yield _median([each.cpu_us.get(process) for each in samples], 1)
    yield _median([each.foreign for each in samples], 2)


def _range(value: Spread) -> str:
    return f"{value.median:,.0f} ({value.least:,.0f} to {value.greatest:,.0f})"


def _median(values: list[float | None], digits: int) -> str:
    known = [value for value in values if value is not None]
    return f"{spread(known).median:,.{digits}f}" if known else ""


def _split(book: Book) -> Table:
    table = Table(title="CPU µs for one operation, by part (one timed run)", title_justify="left")
    names = [name for name in book.samples if name.startswith("split.") and book.samples[name]]
    table.add_column("part")
    for name in names:
        table.add_column(name.removeprefix("split."), justify="right")
    found = [book.samples[name][0].parts_us for name in names]
    for part in found[0]:
        table.add_row(part, *(f"{parts[part]:,.1f}" for parts in found))
    return table


def _targets(title: str, book: Book, targets: Iterable[Target], *, judged: bool) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("ratio")
    for heading in ("median", "least to greatest", "wanted", ""):
        table.add_column(heading, justify="right")
    for target in targets:
        value = book.ratio(target)
        bounded = target.most is not None or bool(target.least)
        wanted = target.wanted if bounded else ""
        if value is None:
            table.add_row(target.title, "", "", wanted, "[yellow]not measured")
            continue
        digits = 0 if value.median > 1000 else 2
        bounds = f"{value.least:,.{digits}f} to {value.greatest:,.{digits}f}"
        verdict = "[green]met" if target.met_by(value.median) else "[red]missed"
        table.add_row(
            target.title,
            f"{value.median:,.{digits}f}",
            bounds,
            wanted,
            verdict if judged and bounded else "",
        )
    return table


def _show_replay(book: Book, console: Console) -> None:
    replayed = book.facts.get("replay")
    if replayed is None:
        return
    events = replayed["events"]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in events.items())
    console.print(
        f"replayed {sum(events.values()):,} events of {replayed['accounts']:,} accounts: {kinds}"
    )


def _show_memory(book: Book, console: Console, *, judged: bool) -> None:
    for what, mib in sorted(book.facts.get("peak_memory_mib", {}).items()):
        console.print(f"peak memory, {what}: {mib:,.0f} MiB")
    memory = book.facts.get("memory")
    if memory is None:
        return
    growth = memory["growth_in_second_half"]
    verdict = ("flat" if growth <= FLAT else "GROWING") if judged else "not judged"
    first, last = memory["points"][0], memory["points"][-1]
    console.print(
        f"server memory with a cache of {memory['cache_accounts']:,} accounts:"
        f" {first['mib']:,.0f} MiB after {first['events']:,.0f} events,"
        f" {last['mib']:,.0f} MiB after {last['events']:,.0f};"
        f" second half {growth:+.1%}: {verdict}"
    )
