"""Mappings: what the words of a source system mean here. One YAML file is one connection.

Nothing is guessed: a place, category, currency or kind of payment that the file does not name
parks what needs it, until somebody adds it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from adapters.frame import yaml_lines
from adapters.frame.money import exponent
from adapters.frame.words import Parked, short
from adapters.frame.yaml_lines import NotYaml, Place
from loyalty.v1.types_pb2 import Identity, Origin

SCHEMA: Final = "loyalty.adapter/v1"
NEVER_EARNS: Final = ("gift_card", "tax", "tip", "shipping", "deposit")
"""Categories that every policy knows and gives nothing for: their own codes need no row."""
IDENTITY_LENGTH: Final = 128


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("expected an IANA zone such as Europe/London") from error
    return name


def _currency(code: str) -> str:
    try:
        exponent(code)
    except Parked:
        raise ValueError("expected an ISO 4217 code such as EUR") from None
    return code


Text = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Zone = Annotated[str, AfterValidator(_zone)]
Currency = Annotated[str, AfterValidator(_currency)]


class Row(BaseModel):
    """What every section of a mapping has in common: no key that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlaceRow(Row):
    """A store, property, outlet or sales channel of the source system."""

    code: Code
    """As the system names it; the adapter's page says how."""
    business_unit: Text
    zone: Zone
    """IANA zone: of local times without offset, and of business days."""
    currencies: Annotated[tuple[Currency, ...], Field(min_length=1)]
    """Currencies it may sell in; another one parks the document."""
    channel: Annotated[str, StringConstraints(max_length=32)] = ""
    store: Annotated[str, StringConstraints(max_length=64)] = ""
    """Store within the unit; empty: none is named."""


class Category(Row):
    """What a code of the system is in the words of the policy."""

    code: Code
    """Exact, or with "*" at its end for all that begin so; the longest that fits counts."""
    category: Text


class IdentityKind(Row):
    """By which scheme the ledger knows what the system calls a customer."""

    kind: Text
    scheme: Name


class Payment(Row):
    """What a means of payment of the system is in the words of the policy."""

    code: Code
    kind: Text
    points: bool = False
    """The money came from points: that part of the document earns nothing."""


class NoSettings(Row):
    """For adapters that need no settings of their own."""


class MappingFile(Row):
    """A mapping file. `settings` are the adapter's own, checked by its own model."""

    schema_: Literal["loyalty.adapter/v1"] = Field(alias="schema")
    system: Name
    connection: Name
    """Name of the connection: in its address, its secrets' files and all records. For ever."""
    version: Annotated[int, Field(ge=1)]
    """Raised with every change of the file, by whoever changes it."""
    source: Annotated[str, StringConstraints(max_length=64, pattern=r"^[^/]*$")] = ""
    """Source of its documents in the ledger, for ever; empty: the connection's name."""
    own_actors: tuple[Code, ...] = ()
    """How the system names us where we act in it: what carries it is our own echo."""
    places: Annotated[tuple[PlaceRow, ...], Field(min_length=1)]
    categories: tuple[Category, ...] = ()
    identities: tuple[IdentityKind, ...] = ()
    """In the order in which they are tried."""
    payments: tuple[Payment, ...] = ()
    settings: Any = None

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> "MappingFile":
        for section, codes in (
            ("places", [row.code for row in self.places]),
            ("categories", [row.code for row in self.categories]),
            ("identities", [row.kind for row in self.identities]),
            ("payments", [row.code for row in self.payments]),
        ):
            twice = next((code for code in codes if codes.count(code) > 1), None)
            if twice is not None:
                raise ValueError(f"{section}: {twice!r} stands there twice")
        return self

    @property
    def source_name(self) -> str:
        """Source of the documents."""
        return self.source or self.connection

    @cached_property
    def canonical(self) -> str:
        """The whole mapping as canonical JSON."""
        return json.dumps(
            self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":")
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical`, hexadecimal."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def place(self, *codes: str) -> PlaceRow:
        """Return the row of the first code that has one. Raises Parked."""
        rows = {row.code: row for row in self.places}
        for code in codes:
            if code in rows:
                return rows[code]
        raise Parked("unmapped_place", " or ".join(map(repr, codes)))

    def category(self, *codes: str) -> str:
        """Return the category of the first code that has a row. Raises Parked."""
        for code in codes:
            fitting = [row for row in self.categories if _fits(row.code, code)]
            if fitting:
                # An exact code is longer than any beginning of it.
                return max(fitting, key=lambda row: (row.code == code, len(row.code))).category
        if codes[-1] in NEVER_EARNS:
            return codes[-1]
        raise Parked("unmapped_category", " or ".join(map(repr, codes)))

    def currency(self, place: PlaceRow, code: str) -> str:
        """Return a currency in which the place sells. Raises Parked."""
        if code not in place.currencies:
            raise Parked("unmapped_currency", f"{code!r} at place {place.code!r}")
        return code

    def payment(self, code: str) -> Payment:
        """Return the row of a means of payment. Raises Parked."""
        for row in self.payments:
            if row.code == code:
                return row
        raise Parked("unmapped_payment", repr(code))

    def members(self, known: Mapping[str, Any]) -> tuple[Identity, ...]:
        """Return identities of a customer, by kind, in the order of the mapping.

        What has no row is not used; what is empty or longer than an identity may be neither.
        """
        found = []
        for row in self.identities:
            value = known.get(row.kind)
            text = "" if value is None else str(value).strip()
            if row.kind == "email":
                text = _address(text)
            if text and len(text) <= IDENTITY_LENGTH and text.isprintable():
                found.append(Identity(scheme=row.scheme, value=text))
        return tuple(found)

    def origin(self, place: PlaceRow, *, till: str = "", operator: str = "") -> Origin:
        """Return the origin of what happened at a place; the frame adds software and time."""
        return Origin(
            business_unit=place.business_unit,
            channel=place.channel,
            store=place.store,
            till=short(till),
            operator=short(operator),
        )

    def is_ours(self, *actors: object) -> bool:
        """Whether one of those who acted in the source system is the ledger itself."""
        return any(actor is not None and str(actor) in self.own_actors for actor in actors)


def _address(text: str) -> str:
    """An e-mail address as it is compared; empty for what stands for none, such as a lone "@"."""
    name, at, host = text.casefold().partition("@")
    return f"{name}{at}{host}" if name and host else ""


def _fits(pattern: str, code: str) -> bool:
    if pattern.endswith("*"):
        return code.startswith(pattern[:-1])
    return pattern == code


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong in a mapping file, and where."""

    file: str
    line: int
    path: str
    problem: str

    def __str__(self) -> str:
        """Return file:line, the path and the problem, as editors like it."""
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at}: {self.path}: {self.problem}" if self.path else f"{at}: {self.problem}"


@dataclass
class MappingRefused(Exception):
    """A mapping file cannot be used."""

    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        """Return one line for each finding."""
        return "\n".join(map(str, self.findings))


def load(path: Path, settings_of: Mapping[str, type[BaseModel]]) -> MappingFile:
    """Read and check a mapping file.

    Args:
        path: the file.
        settings_of: for each system there is, the model of its `settings`.

    Raises:
        MappingRefused: with file and line of everything that is wrong.
    """
    try:
        text = yaml_lines.text_of(path)
    except NotYaml as error:
        raise MappingRefused([Finding(str(path), error.line, "", error.problem)]) from None
    return parse(text, str(path), settings_of)


def parse(text: str, file: str, settings_of: Mapping[str, type[BaseModel]]) -> MappingFile:
    """As `load`, for the text of a file. Raises MappingRefused."""
    try:
        tree, lines = yaml_lines.read(text)
    except NotYaml as error:
        raise MappingRefused([Finding(file, error.line, "", error.problem)]) from None
    if not isinstance(tree, dict):
        wrong = f"a mapping file is a mapping that begins with schema: {SCHEMA}"
        raise MappingRefused([Finding(file, 1, "", wrong)])
    findings: list[Finding] = []
    settings: BaseModel | None = None
    mapping: MappingFile | None = None
    model = settings_of.get(str(tree.get("system")))
    if model is None and "system" in tree:
        known = ", ".join(sorted(settings_of))
        problem = f"unknown {tree['system']!r}; there is {known}"
        findings.append(Finding(file, lines.get(("system",), 0), "system", problem))
    try:
        mapping = MappingFile.model_validate({**tree, "settings": None})
    except ValidationError as error:
        findings += [
            finding(file, lines, each)
            for each in error.errors(include_url=False)
            # A list of which every entry was refused counts as empty too.
            if not (each["type"] == "too_short" and each["input"])
        ]
    if model is not None:
        try:
            settings = model.model_validate(tree.get("settings") or {})
        except ValidationError as error:
            findings += [
                finding(file, lines, each, ("settings",))
                for each in error.errors(include_url=False)
            ]
    if findings or mapping is None:
        raise MappingRefused(findings)
    return mapping.model_copy(update={"settings": settings})


def finding(
    file: str, lines: Mapping[Place, int], error: ErrorDetails, under: Place = ()
) -> Finding:
    """Return what a model says is wrong in a file, with its line."""
    place: Place = (*under, *error["loc"])
    problem = error["msg"].removeprefix("Value error, ")
    key = str(place[-1]) if place else ""
    at = place
    if error["type"] == "extra_forbidden":
        problem, at = f"unknown key {key!r}", place
    elif error["type"] == "missing":
        problem, at = f"{key!r} is missing", place[:-1]
    elif isinstance(error["input"], str):
        problem = f"{error['input']!r}: {problem}"
    line = next((lines[at[:n]] for n in range(len(at), -1, -1) if at[:n] in lines), 0)
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at)
    return Finding(file, line, path.removeprefix("."), problem)
