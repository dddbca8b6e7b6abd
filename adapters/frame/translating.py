"""What payloads mean, without a database and without a ledger: for operators and for tests."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from adapters.frame import moments
from adapters.frame.adapter import Connection, problem
from adapters.frame.reading import dumped, json_of
from adapters.frame.splitting import items_of
from adapters.frame.subjects import Subject
from adapters.frame.words import (
    Acquaintance,
    Canonical,
    Delivery,
    Dropped,
    Faulty,
    Nothing,
    Parked,
    Statement,
    Unreadable,
)

Result = Canonical | Exception


def translated(deliveries: Iterable[Delivery], connection: Connection) -> dict[str, Result]:
    """Return what each subject in some deliveries amounts to, as the worker would see it.

    Deliveries and items that cannot be read, are dropped, or have to be fetched have results too.
    """
    subjects: dict[str, Subject] = {}
    results: dict[str, Result] = {}
    for number, delivery in enumerate(deliveries, start=1):
        try:
            items = items_of(delivery, connection)
        except Unreadable as error:
            results[f"delivery {number}"] = error
            continue
        for at, item in enumerate(items, start=1):
            if isinstance(item, Dropped):
                results[item.subject or f"delivery {number} item {at}"] = Nothing(item.reason)
            elif isinstance(item, Faulty):
                results[item.subject or f"delivery {number} item {at}"] = Unreadable(item.problem)
            else:
                subjects.setdefault(item.subject, _subject(item.subject, connection)).take(
                    _kept(item), None
                )
    for name, subject in subjects.items():
        results[name] = _canonical(subject, connection)
    return results


def _kept(part: Any) -> Any:
    """The part as the database would give it back."""
    if part.content is None:
        return part
    content: Mapping[str, Any] = json_of(dumped(part.content))
    return type(part)(part.subject, part.key, part.version, content, part.rank)


def _subject(name: str, connection: Connection) -> Subject:
    return Subject(
        connection=connection.name,
        subject=name,
        state="new",
        attempts=0,
        document="",
        posted_version=0,
        posted_digest=None,
        was_final=False,
        member_scheme="",
        read_by="",
    )


def _canonical(subject: Subject, connection: Connection) -> Result:
    if subject.hints and not subject.newest:
        return Nothing("to_be_fetched")
    try:
        return connection.adapter.canonicalise(subject.parts, connection.mapping)
    except (Parked, Unreadable) as error:
        return error


def of_file(path: Path) -> Delivery:
    """Return a file as a delivery. Raises OSError."""
    kind = "application/xml" if path.suffix == ".xml" else "application/json"
    return Delivery(path.read_bytes(), {"content-type": kind}, pulled=True)


def as_data(result: Result) -> dict[str, Any]:
    """Return a result for print: the messages with their names in the contract."""
    match result:
        case Parked():
            return {"parked": result.reason, "detail": result.detail}
        case Exception():
            return {"dead": problem(result)}
        case Nothing():
            return {"nothing": result.reason}
        case Acquaintance():
            return {
                "origin": _data(result.origin),
                "identities": [_data(each) for each in result.identities],
            }
        case _:
            said = (
                {"document": _data(result.document)}
                if isinstance(result, Statement)
                else {"activity": _data(result.activity)}
            )
            return {
                **said,
                "origin": _data(result.origin),
                "members": [_data(each) for each in result.members],
                "occurred_time": moments.utc(result.occurred_at).isoformat(),
                "changed_time": moments.utc(result.changed_at).isoformat(),
            }


def _data(message: Any) -> dict[str, Any]:
    made: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return made
