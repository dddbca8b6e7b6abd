"""Subscriptions: who is told what. One file `<name>.outbox.yaml` beside the mappings is one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, ValidationError, model_validator

from adapters.frame import yaml_lines
from adapters.frame.adapter import Connection
from adapters.frame.connections import (
    connection_of,
    mapping_files,
    read_mapping,
    secrets_of,
)
from adapters.frame.mapping import Finding, MappingRefused, Name, Row, Text, finding
from adapters.frame.outbox.signing import problem_of
from adapters.frame.yaml_lines import NotYaml

SCHEMA: Final = "loyalty.outbox/v1"
FILES: Final = "*.outbox.yaml"
SECRET: Final = "webhook_secret"
Event = Literal[
    "balance.changed", "tier.changed", "points.expiring", "member.erased", "member.merged"
]


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected https://host/path")
    if parts.username is not None or parts.fragment:
        raise ValueError("expected an address without user, password and fragment")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("expected a port from 1 to 65535") from None
    return url


class Webhook(Row):
    """A receiver of signed webhooks."""

    url: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_address)]
    events: Annotated[tuple[Event, ...], Field(min_length=1)] = (
        "balance.changed",
        "tier.changed",
        "points.expiring",
        "member.erased",
        "member.merged",
    )
    expiring_days: Annotated[int, Field(ge=1, le=366)] = 30
    """Points that expire within so many days are told."""
    private_addresses: bool = False
    """The receiver may stand in a private network, and speak plain HTTP."""

    @model_validator(mode="after")
    def _is_ciphered(self) -> "Webhook":
        if self.url.startswith("http://") and not self.private_addresses:
            raise ValueError("url: plain http is only for receivers with private_addresses: true")
        return self


class Profile(Row):
    """Profiles of a connection's customers, into which points and tier are written."""

    programme: Text
    """What the system calls our programme: memberships of others are left alone."""
    currency: Text
    """Point currency whose available points are shown."""
    decimals: Annotated[int, Field(ge=0, le=9)] = 0
    """Decimal places of the currency, as the policy has them; whole points are shown."""
    tiers: Mapping[Text, Text] = {}
    """What the system calls each tier. A tier without a row is a dead letter."""
    without_tier: Annotated[str, StringConstraints(max_length=64)] = ""
    """What the system calls it to have none. This and `tiers` empty: no tier is shown."""


class SubscriptionFile(Row):
    """A file of a subscription."""

    schema_: Literal["loyalty.outbox/v1"] = Field(alias="schema")
    subscription: Name
    """Its name: in its secrets' files and all records. For ever."""
    connection: Annotated[str, StringConstraints(max_length=32)] = ""
    """Connection whose customers it is about; empty: all members, by member_id alone."""
    customer_scheme: Annotated[str, StringConstraints(max_length=32)] = ""
    """Scheme of the connection's mapping whose identities are the system's customer numbers."""
    begin_with: Literal["everybody", "changes"] = "everybody"
    """Tell everybody's state once at the beginning, or only what changes from then on."""
    currencies: tuple[Text, ...] = ()
    """Point currencies it is about; empty: all."""
    webhook: Webhook | None = None
    profile: Profile | None = None

    @model_validator(mode="after")
    def _names_customers_wholly(self) -> "SubscriptionFile":
        if bool(self.connection) != bool(self.customer_scheme):
            raise ValueError("connection and customer_scheme stand together or not at all")
        return self

    @model_validator(mode="after")
    def _has_one_receiver(self) -> "SubscriptionFile":
        if (self.webhook is None) == (self.profile is None):
            raise ValueError("expected one of webhook and profile")
        if self.profile is not None and not self.connection:
            raise ValueError("profile: expected the connection whose profiles they are")
        if self.profile is not None and self.currencies:
            raise ValueError("currencies: for webhooks; a profile names its own currency")
        return self

    @property
    def events(self) -> tuple[Event, ...]:
        """What a webhook is told of."""
        return self.webhook.events if self.webhook else ()

    @property
    def expiring_days(self) -> int:
        """For how many days ahead points that expire are told of."""
        return self.webhook.expiring_days if self.webhook else 0

    @property
    def receiver(self) -> str:
        """Who is told, for people."""
        return self.webhook.url if self.webhook else f"profiles of {self.connection}"


class Subscription:
    """A subscription with its secrets."""

    def __init__(
        self,
        told: SubscriptionFile,
        secrets: Mapping[str, tuple[str, ...]] | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Keep what the file says.

        Args:
            told: the file.
            secrets: live values by name, the newest first.
            connection: the one that the file names.
        """
        self.file = told
        self.name = told.subscription
        self.connection = connection
        self._secrets = secrets or {}

    def keys(self) -> tuple[str, ...]:
        """Live signing secrets, the newest first."""
        return self._secrets.get(SECRET, ())

    def problems(self) -> list[str]:
        """What is wrong with its secrets."""
        if self.file.profile is not None:
            return self._missing()
        if not self.keys():
            return [f"{self.name}.{SECRET} is missing"]
        found = ((number, problem_of(key)) for number, key in enumerate(self.keys(), 1))
        return [f"{self.name}.{SECRET}, line {number}: {wrong}" for number, wrong in found if wrong]

    def _missing(self) -> list[str]:
        if self.connection is None:
            return []
        names = self.connection.adapter.api_secrets
        return [
            f"{self.connection.name}.{name} is missing"
            for name in names
            if not self.connection.keys(name)
        ]


def read(path: Path) -> SubscriptionFile:
    """Read and check a file. Raises MappingRefused, with file and line of everything wrong."""
    file = str(path)
    try:
        tree, lines = yaml_lines.read(yaml_lines.text_of(path))
    except NotYaml as error:
        raise MappingRefused([Finding(file, error.line, "", error.problem)]) from None
    if not isinstance(tree, dict):
        wrong = f"a subscription is a mapping that begins with schema: {SCHEMA}"
        raise MappingRefused([Finding(file, 1, "", wrong)])
    try:
        return SubscriptionFile.model_validate(tree)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise MappingRefused([finding(file, lines, each) for each in found]) from None


def read_all(
    folder: Path, secrets: Path | None, connections: Mapping[str, Connection]
) -> dict[str, Subscription]:
    """Read every subscription of a folder of mappings, with its secrets.

    Raises:
        MappingRefused: everything that is wrong in any of them.
    """
    findings: list[Finding] = []
    found: dict[str, Subscription] = {}
    for path in sorted(folder.glob(FILES)):
        try:
            told = read(path)
        except MappingRefused as refused:
            findings += refused.findings
            continue
        if told.subscription in found:
            twice = f"another file has subscription {told.subscription!r}"
            findings.append(Finding(str(path), 0, "subscription", twice))
        findings += against(told, str(path), connections)
        found[told.subscription] = Subscription(
            told, secrets_of(told.subscription, secrets), connections.get(told.connection)
        )
    if findings:
        raise MappingRefused(findings)
    return found


def checked(path: Path, secrets: Path | None) -> tuple[list[Finding], dict[str, object] | None]:
    """Check a file with the mappings beside it, and its secrets where a folder is given.

    Returns what is wrong, and what it is, for people; None: it cannot be read.
    """
    try:
        told = read(path)
    except MappingRefused as refused:
        return refused.findings, None
    connections: dict[str, Connection] = {}
    for each in mapping_files(path.parent):
        # What is wrong in a mapping is told where the mapping is checked.
        with suppress(MappingRefused):
            made = connection_of(read_mapping(each), secrets)
            connections[made.name] = made
    findings = [*against(told, str(path), connections)]
    if secrets is not None:
        own = secrets_of(told.subscription, secrets)
        wrong = Subscription(told, own, connections.get(told.connection)).problems()
        findings += [Finding(str(path), 0, "secrets", f"{secrets}/{each}") for each in wrong]
    said: dict[str, object] = {
        "file": str(path),
        "subscription": told.subscription,
        "receiver": told.receiver,
    }
    return findings, said


def against(
    told: SubscriptionFile, file: str, connections: Mapping[str, Connection]
) -> Sequence[Finding]:
    """Return what of a subscription does not fit the mappings beside it."""
    if not told.connection:
        return []
    if told.connection not in connections:
        problem = f"no mapping beside it has connection {told.connection!r}"
        return [Finding(file, 0, "connection", problem)]
    connection = connections[told.connection]
    if told.profile is not None and not connection.adapter.profile_kind:
        problem = f"profiles of {connection.adapter.name} are not written"
        return [Finding(file, 0, "profile", problem)]
    # A profile is found by the system's own number of it; a webhook's receiver says what it knows.
    kind = connection.adapter.profile_kind if told.profile is not None else ""
    rows = connection.mapping.identities
    schemes = {row.scheme for row in rows if not kind or row.kind == kind}
    if told.customer_scheme not in schemes:
        known = ", ".join(sorted(schemes)) or "none"
        of_kind = f" of kind {kind}" if kind else ""
        problem = f"{told.customer_scheme!r}: the mapping's identities{of_kind} have {known}"
        return [Finding(file, 0, "customer_scheme", problem)]
    return []
