"""What an adapter says. A module `adapters/<system>.py` has one instance of it named ADAPTER.

Only `verify`, `event_id`, `split` and `canonicalise` have to be written; senders of thin events
write `resolve` too, and everybody whose system can be asked writes `pull`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from adapters.frame.mapping import MappingFile, NoSettings
from adapters.frame.words import (
    Canonical,
    Delivery,
    Faulty,
    Item,
    Outcome,
    Part,
    Parts,
    Reply,
    Unreadable,
    Verdict,
    shown,
)

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from adapters.frame.posting import Ledger

Raw = TypeVar("Raw")
Model = TypeVar("Model", bound=BaseModel)


NO_DELIVERY: Final = Delivery(b"")


@dataclass(frozen=True, slots=True)
class Connection:
    """One account at one vendor: its adapter, its mapping, its secrets."""

    name: str
    adapter: "Adapter"
    mapping: MappingFile
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """Live values of each secret, the newest first."""

    def keys(self, name: str) -> tuple[str, ...]:
        """Return the live values of a secret; empty when none is set: then nothing is genuine."""
        return self.secrets.get(name, ())

    def secret(self, name: str) -> str:
        """Return the newest value of a secret; empty when none is set."""
        return next(iter(self.keys(name)), "")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a reconciling pull fetched."""

    deliveries: Sequence[Delivery]
    cursor: str
    """From where the next pull goes on."""
    more: bool = False
    """There is more at once; the next pull follows without a pause."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the profiles of a member are to show, in the system's own words."""

    customers: tuple[str, ...]
    """The system's numbers of the person: one, or several that the ledger knows as one member."""
    programme: str
    """What the system calls our programme."""
    points: int
    level: str | None
    """What the system calls the tier; None: leave it alone."""


class Adapter:
    """A source system. `version` rises whenever the same input gives another canonical form."""

    name: ClassVar[str]
    version: ClassVar[int]
    settings: ClassVar[type[BaseModel]] = NoSettings
    """Model of the section `settings` of its mapping files; `extra="forbid"`."""
    secrets: ClassVar[tuple[str, ...]] = ()
    """Secrets that a connection must have, besides those of API calls."""
    api_secrets: ClassVar[tuple[str, ...]] = ()
    """Secrets that `resolve` and `pull` need."""
    kept_headers: ClassVar[tuple[str, ...]] = ("content-type",)
    """Headers that are kept with a delivery, in lower case."""
    body_max: ClassVar[int] = 2 * 1024 * 1024
    """Bytes of the largest message that the system sends."""
    pull_seconds: ClassVar[int] = 0
    """Pause between reconciling pulls; 0: the system cannot be asked."""
    cut_at: ClassVar[str] = ""
    """Local name of the elements by which large XML files are cut; empty: a file is one message."""

    profile_kind: ClassVar[str] = ""
    """Kind of identity by which `show` finds a profile; empty: profiles are not written."""

    def verify(self, delivery: Delivery, connection: Connection) -> Verdict:
        """Say whether the delivery comes from the vendor. Reads no clock but `received_at`.

        A secret that is not set makes it FORGED.
        """
        raise NotImplementedError

    def event_id(self, delivery: Delivery) -> str:
        """Return what is the same when the same message is sent again.

        Empty: the digest of the body stands for it.
        """
        raise NotImplementedError

    def reply(self, outcome: Outcome, delivery: Delivery = NO_DELIVERY) -> Reply:
        """Return the answer that the sender understands.

        Only of what is ACCEPTED, DUPLICATE or ID_REUSED is it known that the sender sent it.
        """
        del delivery
        return Reply(STATUS_OF[outcome])

    def redacted(self, delivery: Delivery) -> Delivery:
        """Return what is kept in the inbox of a verified delivery: card numbers taken out."""
        return delivery

    def split(self, delivery: Delivery, connection: Connection) -> Iterable[Item]:
        """Return the items of a delivery. Raises Unreadable: nothing in it can be read.

        One that cannot be read is `Faulty` and spoils no other; `each` helps. Test traffic, our
        own echo and events that are nothing to the ledger are `Dropped`.
        """
        raise NotImplementedError

    async def resolve(
        self, parts: Parts, hints: Sequence[Part], connection: Connection, api: "Api"
    ) -> list[Part]:
        """Fetch what thin events left out. Called by the worker, never within a webhook.

        Args:
            parts: what is known of the subject.
            hints: its parts without content.
            connection: settings, and secrets for the vendor's API.
            api: calls with time-outs.

        Returns:
            Parts with content, of this subject only.

        Raises:
            RetryLater: the vendor does not answer, or asks for patience. `api` raises it.
            Unreadable, Parked: as in `canonicalise`.
        """
        raise NotImplementedError

    def canonicalise(self, parts: Parts, mapping: MappingFile) -> Canonical:
        """Return what the parts of a subject mean. Pure: equal input, equal output.

        Raises:
            Parked: a word has no row in the mapping, or a part is missing that will come.
            Unreadable: it cannot be understood, now or later.
        """
        raise NotImplementedError

    async def pull(self, cursor: str, connection: Connection, api: "Api") -> Pulled:
        """Fetch what changed since the cursor (empty: the first time), as deliveries.

        They go through the inbox like what was sent: what is known already changes nothing.

        Raises:
            RetryLater: the vendor does not answer.
        """
        raise NotImplementedError

    async def show(self, shown: Shown, connection: Connection, api: "Api") -> None:
        """Write points and tier into a member's profiles. Done twice, it leaves the same.

        Raises:
            RetryLater, Unreadable: they do not show it yet; it is tried again.
            Parked: they cannot until somebody changes a file.
        """
        raise NotImplementedError

    def gaps(self, subjects: Iterable[str]) -> list[str]:
        """Return what must be missing, by the numbers of all that came. For people."""
        del subjects
        return []

    def routes(self, connection: Connection, ledger: "Ledger") -> Sequence["BaseRoute"]:
        """Return further HTTP routes under /systems/<connection>/, for vendors that call us."""
        del connection, ledger
        return ()


STATUS_OF: Final[Mapping[Outcome, int]] = {
    Outcome.ACCEPTED: 200,
    Outcome.DUPLICATE: 200,
    Outcome.ID_REUSED: 200,
    Outcome.GREETING: 200,
    Outcome.FORGED: 401,
    Outcome.STALE: 401,
    Outcome.UNREADABLE: 400,
    Outcome.TOO_LARGE: 413,
    Outcome.BUSY: 503,
}


def each(raw: Iterable[Raw], read: Callable[[Raw], Item | Iterable[Item]]) -> Iterable[Item]:
    """Read items one by one; one that cannot be read becomes `Faulty` and spoils no other."""
    for entry in raw:
        try:
            made = read(entry)
            found = list(made) if isinstance(made, Iterable) else [made]
        except (Unreadable, ValidationError) as error:
            yield Faulty(problem(error))
        else:
            yield from found


def problem(error: Exception) -> str:
    """Return what is wrong with an item, without the values of its fields."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        return f"{path}: {first['msg']}" if path else first["msg"]
    return shown(error)


def read_as(model: type[Model], raw: object) -> Model:
    """Check an object of the sender against a model. Raises Unreadable, with the field's path."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise Unreadable(problem(error)) from None


class Api:
    """Calls to a vendor, each with a time limit. What may pass by itself becomes RetryLater."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Call through `client`, which has the time limits."""
        self.client = client

    async def json(self, method: str, url: str, **request: Any) -> Any:
        """Call and return the answer's JSON, exact. Raises RetryLater, Unreadable.

        Nothing there, gone and never-been (204, 404, 410) is None.
        """
        from adapters.frame.calls import answer_of

        return await answer_of(self.client, method, url, **request)
