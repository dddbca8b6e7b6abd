"""No field of a good message, whatever stands in it, makes anything but a verdict: a document that
the ledger can hold, or a refusal. What is fetched is spoilt alike.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus
from xml.etree import ElementTree

import pytest

from adapters.frame.adapter import Connection
from adapters.frame.translating import Result, translated
from adapters.frame.words import Delivery, Parked, Parts, Statement, Unreadable, shown
from tests.adapters.rig import api_of
from tests.adapters.spoilt.case import System, connected, items, parts_of
from tests.adapters.test_bad_input import SYSTEMS

GONE = object()
NASTY: tuple[Any, ...] = (
    *(GONE, None, True, -1, 10**20, "", "\0", "\ud83d", "\n", "²", "9" * 5000, {"a": 1}),
)
OURS = (("items",), ("folios",))
"""Lists that we make ourselves of what is fetched."""
FETCHED = ("apaleo", "mews", "opera", "square")
IN_XML = ("", "²", "٣", "..", "1_0", "-0", "9" * 5000, "x" * 300, "0001-01-01", "NaN", "é\n")


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a tree of JSON."""
    named: Any = ()
    if isinstance(tree, dict | list):
        named = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for step, inside in named:
        yield (*path, step)
        yield from places(inside, (*path, step))


def with_nasty(tree: Any) -> Iterator[tuple[str, Any]]:
    """The tree with something nasty in every place of it, one at a time."""
    for path in list(places(tree)):
        for nasty in NASTY if path not in OURS else ():
            spoilt = copy.deepcopy(tree)
            inside = spoilt
            for step in path[:-1]:
                inside = inside[step]
            if nasty is GONE:
                del inside[path[-1]]
            else:
                inside[path[-1]] = nasty
            yield f"{path}: {ascii(nasty)[:40]}", spoilt


def expect_sound(result: Result, what: str) -> None:
    """A refusal of bounded length, or a document that the ledger can hold."""
    if isinstance(result, Exception):
        assert isinstance(result, Parked | Unreadable), what
        assert len(shown(result)) <= 300, what
    if not isinstance(result, Statement):
        return
    document = result.document
    ids = [line.line_id for line in document.lines]
    assert len(set(ids)) == len(ids), what
    texts = [document.document_id, *ids]
    assert all(0 < len(text) <= 64 and text.isprintable() for text in texts), what
    named = [document.receipt_code, result.origin.till, result.origin.operator]
    assert all(len(text) <= 64 and (not text or text.isprintable()) for text in named), what
    amounts = [line.net_minor_units for line in document.lines]
    amounts += [payment.minor_units for payment in document.payments]
    assert all(0 <= amount <= 10**15 for amount in amounts), what


def connected_to(system: System) -> Connection:
    mapping = system.full().mapping or system.mapping
    return connected(system.name, mapping, tuple(sorted(system.secrets.items())))


def expect_sound_of(made: Connection, delivery: Delivery, what: str) -> None:
    try:
        made.adapter.event_id(delivery)
        made.adapter.redacted(delivery)
    except Unreadable:
        pass
    for result in translated([delivery], made).values():
        expect_sound(result, what)


@pytest.mark.parametrize("name", sorted(set(SYSTEMS) - {"ota", "poslog"}))
def test_a_field_of_json_may_hold_anything(name: str) -> None:
    made, (good, *_) = connected_to(SYSTEMS[name]), SYSTEMS[name].full().sent
    told = json.loads(good.body)
    if isinstance(told.get("msg"), str):
        # A message in a message: as an object it is read alike.
        told["msg"] = json.loads(unquote_plus(told["msg"]))
    for what, spoilt in with_nasty(told):
        body = json.dumps(spoilt).encode()
        expect_sound_of(made, Delivery(body, good.headers, received_at=10**15), what)


@pytest.mark.parametrize("name", ["ota", "poslog"])
def test_an_element_of_xml_may_hold_anything(name: str) -> None:
    made, (good, *_) = connected_to(SYSTEMS[name]), SYSTEMS[name].full().sent
    count = len(list(ElementTree.fromstring(good.body).iter()))
    for at in range(count):
        for nasty in IN_XML:
            root = ElementTree.fromstring(good.body)
            element = list(root.iter())[at]
            for key in [None, *element.attrib]:
                spoilt = copy.deepcopy(root)
                inside = list(spoilt.iter())[at]
                if key is None:
                    inside.text = nasty
                else:
                    inside.set(key, nasty)
                told = Delivery(ElementTree.tostring(spoilt), good.headers, received_at=10**15)
                expect_sound_of(made, told, f"{element.tag} {key}: {nasty[:40]!r}")


@pytest.mark.parametrize("name", FETCHED)
async def test_a_field_of_what_is_fetched_may_hold_anything(name: str) -> None:
    case = SYSTEMS[name].full()
    made = connected_to(SYSTEMS[name])
    known = items(made, case.sent)
    assert case.api is not None
    async with api_of(case.api) as api:
        subject = known[0].subject
        told = [part for part in known if part.content is not None]
        hints = [part for part in known if part.content is None]
        told += await made.adapter.resolve(parts_of(subject, told), hints, made, api)
    good = parts_of(subject, told)
    for key, content in good.contents.items():
        for what, spoilt in with_nasty(content):
            parts = Parts(subject, {**good.contents, key: spoilt}, good.versions)
            try:
                expect_sound(made.adapter.canonicalise(parts, made.mapping), what)
            except (Parked, Unreadable) as error:
                expect_sound(error, what)
