"""A system with its bad inputs, and what becomes of one at the real door, then to the worker.

The rows of docs/adapters/bad-input.md have these names.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx
from starlette.applications import Starlette

from adapters.frame.adapter import Api, Connection
from adapters.frame.door import Door
from adapters.frame.metrics import Metrics
from adapters.frame.reading import dumped, json_of
from adapters.frame.splitting import items_of
from adapters.frame.translating import Result, translated
from adapters.frame.words import (
    Delivery,
    Dropped,
    Item,
    Nothing,
    Outcome,
    Parked,
    Part,
    Parts,
    Statement,
    Unreadable,
    shown,
)
from tests.adapters.rig import api_of, connection

WRONG: Final = "signature, token or password wrong"
MISSING: Final = "signature, token or password missing"
STALE: Final = "signed too long ago"
LARGE: Final = "body of 20 MB"
AGAIN: Final = "sent again"
REUSED: Final = "same event id for two events"
CUT: Final = "body cut off"
EMPTY: Final = "empty body"
CHARSET: Final = "bytes that are not of their charset"
WIDE: Final = "UTF-16, and said so"
SEVEN: Final = "UTF-7, and said so"
TWICE: Final = "a key written twice"
DEEP: Final = "nested 100 000 deep"
SURROGATE: Final = "half a surrogate pair in a text that is used"
NUL: Final = "NUL in a text that is used"
LAUGHS: Final = "billion laughs"
OUTSIDE: Final = "entity or DTD from outside"
INCLUDE: Final = "XInclude"
DIGITS: Final = "more digits than the currency has: wrong exponent"
HUGE: Final = "amount of 10^20"
NO_NUMBER: Final = "amount NaN"
NEGATIVE: Final = "negative quantity"
BELOW: Final = "amount below nothing"
AS_TEXT: Final = "amount as number instead of text, or the reverse"
OBJECT: Final = "object or flag where a text is used"
BEYOND: Final = "id beyond 2^53"
TWINS: Final = "two identical lines"
CURRENCIES: Final = "two currencies in one document"
SHORT_FORM: Final = "time in ISO 8601's short form"
NO_ZONE: Final = "time without zone"
YEAR_1: Final = "time in the year 0001"
YEAR_9999: Final = "time in the year 9999"
UNKNOWN: Final = "event type nobody knows"
PLACE: Final = "store or property without row, or deleted"
CATEGORY: Final = "category without row"
CURRENCY: Final = "currency without row"
NOBODY: Final = "nobody named"
STRANGER: Final = "member the ledger does not know"
EARLY: Final = "refund before its sale"
TEST: Final = "test or training traffic"
AMONG: Final = "one bad entry among good ones"
UPWARDS: Final = "id that leads elsewhere in an address"
ANOTHER: Final = "something else is told than was asked for"
GONE: Final = "gone at the vendor when it is fetched"


@dataclass(frozen=True)
class Case:
    """A bad input: what is sent, and under which mapping."""

    sent: Sequence[Delivery]
    mapping: str = ""
    """Another one than the system's; empty: the system's own."""
    api: Starlette | None = None
    """What answers calls to the vendor, where something has to be fetched."""
    holds: Callable[[Statement], bool] | None = None
    """What is true of it when it counts; None: it says what the good one says."""


@dataclass(frozen=True)
class System:
    """A source system: its good input, and how it is spoilt."""

    name: str
    mapping: str
    secrets: Mapping[str, str]
    good: Callable[[], Case]
    spoilt: Mapping[str, Callable[[], Case]] = field(default_factory=dict)
    rich: Callable[[], Case] | None = None
    """A good one with every field that is read; None: the good one has them."""

    def full(self) -> Case:
        """A good input with every field that is read."""
        return self.good() if self.rich is None else self.rich()


class Kept:
    """Stands for the inbox: it keeps what the door lets in."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    async def keep(self, name: str, event_id: str, delivery: Delivery) -> Outcome:
        """As the inbox does for what is new."""
        del name
        assert isinstance(event_id, str)
        self.deliveries.append(delivery)
        return Outcome.ACCEPTED


@cache
def connected(system: str, mapping: str, secrets: tuple[tuple[str, str], ...]) -> Connection:
    """The connection of a system."""
    made = connection(mapping, dict(secrets))
    assert made.adapter.name == system
    return made


async def verdict(system: System, case: Case) -> tuple[str, list[Result]]:
    """What becomes of a bad input, in the words of the page, and the results behind them."""
    mapping = case.mapping or system.mapping
    made = connected(system.name, mapping, tuple(sorted(system.secrets.items())))
    words: set[str] = set()
    dropped: set[str] = set()
    kept: list[Delivery] = []
    for delivery in case.sent:
        refused = "" if delivery.pulled else await _door(made, delivery, kept)
        if refused:
            words.add(refused)
        elif delivery.pulled:
            kept.append(delivery)
    for item in _items(made, kept):
        if isinstance(item, Dropped):
            dropped.add(item.reason)
    results = list((await _read(made, kept, case.api)).values())
    words |= {_word(result, dropped) for result in results}
    return " + ".join(sorted(words)), results


async def _door(made: Connection, delivery: Delivery, kept: list[Delivery]) -> str:
    """Knock at the door; empty: it was let in, as it will be kept."""
    inbox, metrics = Kept(), Metrics()
    door = Door({made.name: made}, inbox, metrics)  # type: ignore[arg-type]
    path = f"/hooks/{made.name}" + (f"/{delivery.path}" if delivery.path else "")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=door), base_url="http://door"
    ) as http:
        answer = await http.post(
            path, content=delivery.body, headers=dict(delivery.headers), params=delivery.query
        )
    if inbox.deliveries:
        kept += inbox.deliveries
        return ""
    registry = metrics.registry
    outcomes = [
        outcome
        for outcome in Outcome
        if registry.get_sample_value(
            "loyalty_adapter_deliveries_total", {"connection": made.name, "outcome": outcome}
        )
    ]
    return f"{answer.status_code} {outcomes[0]}"


def items(made: Connection, kept: Sequence[Delivery]) -> list[Part]:
    """All parts in some deliveries, those that have to be fetched too."""
    return [item for item in _items(made, kept) if isinstance(item, Part)]


def _items(made: Connection, kept: Sequence[Delivery]) -> Iterator[Item]:
    for delivery in kept:
        with suppress(Unreadable):
            yield from items_of(delivery, made)


async def _read(
    made: Connection, kept: Sequence[Delivery], api: Starlette | None
) -> dict[str, Result]:
    """What the worker makes of it, with what has to be fetched from `api`."""
    results = translated(kept, made)
    if api is None:
        return results
    parts: dict[str, list[Part]] = {}
    for part in items(made, kept):
        parts.setdefault(part.subject, []).append(part)
    async with api_of(api) as calls:
        for name, known in parts.items():
            if any(part.content is None for part in known):
                results[name] = await _fetched(made, name, known, calls)
    return results


async def _fetched(made: Connection, name: str, known: Sequence[Part], api: Api) -> Result:
    told = [part for part in known if part.content is not None]
    hints = [part for part in known if part.content is None]
    try:
        told += await made.adapter.resolve(parts_of(name, told), hints, made, api)
        return made.adapter.canonicalise(parts_of(name, told), made.mapping)
    except (Parked, Unreadable) as error:
        return error


def parts_of(name: str, parts: Sequence[Part]) -> Parts:
    """Parts of a subject as the database gives them back."""
    contents: dict[str, Any] = {part.key: json_of(dumped(part.content or {})) for part in parts}
    return Parts(name, contents, {part.key: part.version for part in parts})


def _word(result: Result, dropped: Collection[str]) -> str:
    match result:
        case Parked():
            return f"parked {result.reason}"
        case Unreadable():
            assert len(shown(result)) <= 300
            return "dead"
        case Exception():
            raise result
        case Nothing():
            return f"{'dropped' if result.reason in dropped else 'nothing'} {result.reason}"
        case Statement() if not result.members:
            return "posted as nobody's"
        case _:
            return "posted"
