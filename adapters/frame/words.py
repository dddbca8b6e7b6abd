"""The words between the frame and an adapter: what comes in, what is made of it, what fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from loyalty.v1.ledger_service_pb2 import Activity
from loyalty.v1.types_pb2 import Document, Identity, Origin

Content = Mapping[str, Any]
"""What is kept of a part: texts, whole numbers, flags, lists and mappings of them. A decimal number
is kept as the text that was sent."""
HEADER_LENGTH: Final = 300
"""Characters of a header that are kept."""
SHORT_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a source system, as it came. Header names are in lower case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    path: str = ""
    """What stands in the address behind the connection's name: a secret of some senders."""
    received_at: int = 0
    """Microseconds since the Unix epoch, UTC."""
    pulled: bool = False
    """We fetched it ourselves, so it carries no signature."""

    def header(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name, "")


class Outcome(StrEnum):
    """What became of a delivery at the door; an adapter says it in the sender's own way."""

    ACCEPTED = "accepted"
    """Durable in the inbox now."""
    DUPLICATE = "duplicate"
    """Durable since an earlier time, with the same body."""
    ID_REUSED = "id_reused"
    """Its id came before with another body: kept as a dead letter."""
    GREETING = "greeting"
    """A handshake or ping of the sender that says nothing."""
    FORGED = "forged"
    """Signature, token or password is missing or wrong."""
    STALE = "stale"
    """Genuine, but signed too long ago: perhaps recorded and sent again by somebody."""
    UNREADABLE = "unreadable"
    """What was signed cannot be what the sender means: a cut body, say."""
    TOO_LARGE = "too_large"
    """More bytes than the system ever sends."""
    BUSY = "busy"
    """Nothing could be made durable; the sender should send it again."""


class Verdict(StrEnum):
    """What an adapter says of a delivery before it is kept."""

    GENUINE = "genuine"
    GREETING = "greeting"
    FORGED = "forged"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a subject that arrives by itself: an order, one refund of it, a folio.

    Of two with the same subject and key, the one with the higher (version, rank) counts, in
    whatever order they come; of equal ones the later.
    """

    subject: str
    """What it is about, as the source system numbers it: "order/450789469". 1 to 200 characters."""
    key: str
    """Which piece of it: "order", "refund/509562969"."""
    version: int
    """Rises when the piece changes: microseconds of its time of change, or the sender's number."""
    content: Content | None
    """What the canonical form needs, and no more. None: it has to be fetched from the vendor."""
    rank: int = 0
    """Decides between equal versions: time of sending, say."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """An item of a delivery that is not for the ledger, on purpose."""

    reason: str
    """One of the words that docs/adapters lists: "test", "own_echo", "not_ours"."""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Faulty:
    """An item of a delivery that cannot be understood: a dead letter of its own."""

    problem: str
    subject: str = ""


Item = Part | Dropped | Faulty


@dataclass(frozen=True, slots=True)
class Parts:
    """What is known of a subject: the newest content of each part."""

    subject: str
    contents: Mapping[str, Content]
    versions: Mapping[str, int] = field(default_factory=dict)

    def of(self, prefix: str) -> list[Content]:
        """Contents of all parts whose key begins so, in order of their keys."""
        return [self.contents[key] for key in sorted(self.contents) if key.startswith(prefix)]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sale, order, stay or folio as it is now. The frame adds version and occurred_time."""

    origin: Origin
    document: Document
    members: tuple[Identity, ...]
    """Whose it may be, best first; the first that the ledger knows is taken. Empty: nobody's."""
    occurred_at: int
    """When it happened, microseconds: decides policy and tier of its first final version."""
    changed_at: int
    """When it last changed, microseconds: orders its versions."""


@dataclass(frozen=True, slots=True)
class ActivityStatement:
    """Something else than a purchase. The frame adds version and occurred_time."""

    origin: Origin
    activity: Activity
    members: tuple[Identity, ...]
    occurred_at: int
    changed_at: int


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """Identities of one person: what the ledger does not know yet is linked to what it knows."""

    origin: Origin
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The subject is nothing to the ledger as it stands: an order that is not paid yet."""

    reason: str


Canonical = Statement | ActivityStatement | Acquaintance | Nothing


class Unreadable(Exception):
    """What came cannot be understood, now or later: a dead letter."""


class Parked(Exception):
    """It is understood, but something is missing that may still come: mapping, sale, policy."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Wait, for a `reason` that counts, with a `detail` for people."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class RetryLater(Exception):
    """The vendor or the ledger did not answer; it is tried again by itself."""

    def __init__(self, problem: str, *, seconds: int = 0) -> None:
        """Try again after `seconds`; 0: as the frame thinks best."""
        super().__init__(problem)
        self.seconds = seconds


def shown(error: Exception) -> str:
    """Return what is wrong in one line of bounded length."""
    text = clean(" ".join(str(error).split())) or type(error).__name__
    return text if len(text) <= HEADER_LENGTH else text[: HEADER_LENGTH - 1] + "…"


def short(text: str) -> str:
    """Return a text as the ledger takes it where it only names something: a receipt, a till."""
    return clean(text)[:SHORT_LENGTH]


def clean(text: str) -> str:
    """Return a text as a database can keep it and a terminal show it."""
    return "".join(filter(str.isprintable, text))
