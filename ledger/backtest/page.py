"""A report as one HTML page that opens without a network: tables, and charts drawn as SVG."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, NamedTuple

import polars as pl

from ledger.backtest.report import Report

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2733; --paper: #fff; --line: #d5dce4; --soft: #667;
  --draft: #2563a8; --recorded: #a9b8c8; --loss: #b3452c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --paper: #14191f; --line: #36404c;
  --soft: #9aa7b5; --draft: #6ea8e6; --recorded: #4d5d6e; --loss: #e58a72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: .5rem 0 2rem; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid var(--line); text-align: left; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; overflow-x: auto; } svg text { font: 12px system-ui, sans-serif; fill:
var(--ink); } .draft { fill: var(--draft); } .recorded { fill: var(--recorded); }
.loss { fill: var(--loss); } p.soft, figcaption { color: var(--soft); }
"""
_TITLES: Final = {
    "rules": "Points by rule",
    "units": "Points and what they are worth, by business unit",
    "tiers": "Points by tier, as recorded",
    "funders": "Who pays",
    "caps": "What caps and budgets cut",
    "moves": "Members by tier at the end: recorded, and under the draft",
    "winners": "Who wins most",
    "losers": "Who loses most",
    "histogram": "Members by difference",
}
_BAR: Final = 14
_WIDTH: Final = 520
_LABEL: Final = 210


class Bar(NamedTuple):
    """A bar of a chart: its class decides the colour."""

    kind: str
    amount: int


def page_of(report: Report) -> str:
    """Write the whole page."""
    sections = "".join(_section(report, name) for name in report.tables)
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    facts = report.facts
    title = f"Backtest of {facts['policy']}"
    told = (
        f"{facts['documents']:,} documents of {facts['members']:,} members,"
        f" {_day(facts['from'])} to {_day(facts['to'])}. Draft {facts['digest']}."
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>{escape(told)}</p><ul>{notes}</ul>{sections}"
        f'<p class="soft">Report {report.digest}</p></body></html>\n'
    )


def _day(at: int | str) -> str:
    return f"{datetime.fromtimestamp(int(at) // 1_000_000, UTC):%Y-%m-%d}"


def _section(report: Report, name: str) -> str:
    table = report.tables[name]
    heading = f"<h2>{_TITLES[name]}</h2>"
    if not table.height:
        return f"{heading}<p class=soft>Nothing.</p>"
    return heading + _chart_of(name, table) + _table(table)


def _chart_of(name: str, table: pl.DataFrame) -> str:
    """Draw what a picture tells better: sides beside each other, or a histogram."""
    if name == "histogram":
        rows = [
            (f"{label} {currency}", [Bar("loss" if label.startswith("-") else "draft", members)])
            for currency, label, members in table.rows()
        ]
        return _chart(rows, "Members by what they win or lose under the draft")
    if name in ("rules", "units", "tiers", "funders"):
        first = table.columns[0]
        rows = [
            (
                f"{row[first]} {row['currency']}",
                [Bar("draft", row["draft"]), Bar("recorded", row["recorded"])],
            )
            for row in table.iter_rows(named=True)
        ]
        return _chart(rows, "Dark: under the draft. Light: recorded")
    return ""


def _chart(rows: Sequence[tuple[str, list[Bar]]], caption: str) -> str:
    most = max((bar.amount for _, bars in rows for bar in bars), default=0) or 1
    drawn: list[str] = []
    top = 0
    for label, bars in rows:
        middle = top + len(bars) * _BAR // 2 + 4
        drawn.append(f'<text x="0" y="{middle}">{escape(_short(label))}</text>')
        for bar in bars:
            width = bar.amount * _WIDTH // most
            end = _LABEL + width + 6
            drawn.append(
                f'<rect class="{bar.kind}" x="{_LABEL}" y="{top}" width="{width}"'
                f' height="{_BAR - 2}"/><text x="{end}" y="{top + _BAR - 4}">{bar.amount:,}</text>'
            )
            top += _BAR
        top += _BAR // 2
    wide = _LABEL + _WIDTH + 110
    return (
        f'<figure><svg viewBox="0 0 {wide} {top}" width="{wide}" height="{top}" role="img"'
        f' aria-label="{escape(caption)}">{"".join(drawn)}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 32 else f"{label[:31]}…"


def _table(table: pl.DataFrame) -> str:
    numbers = [kind == pl.Int64 for kind in table.dtypes]
    head = _cells("th", table.columns, numbers)
    body = "".join(f"<tr>{_cells('td', row, numbers)}</tr>" for row in table.iter_rows())
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(tag: str, values: Iterable[object], numbers: Iterable[bool]) -> str:
    return "".join(
        f"<{tag}{' class=number' if number else ''}>{_shown(value)}</{tag}>"
        for value, number in zip(values, numbers, strict=True)
    )


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else escape(str(value).replace("_", " "))
