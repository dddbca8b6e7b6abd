"""The rows of an older programme's file, each a request to record it or why there is none.

Columns (others are refused, so that a misspelt one is not lost):
  member             scheme:value, "card:8800"                               required
  business_unit      that issued the points, and where the member joins       required
  row                the row's own name; its number when missing
  currency, points   a lot, in the smallest unit; no points or 0: none
  funder, earned_time, expire_time     of the lot; earned_time is required
  metric, amount, money                what counts towards tiers besides points: nights, spend, …
  window             the year or day in which qualifying points, or the metric, count
  tier, tier_until_time                the member's tier
  member_since_time  since when they are a member
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.core.instant import to_timestamp
from loyalty.v1.ledger_service_pb2 import RecordOpeningRequest
from loyalty.v1.types_pb2 import (
    Identity,
    MemberRef,
    OpeningLot,
    OpeningMetric,
    OpeningTier,
    Origin,
)
from server.cli.calling import id_from
from server.cli.refused import RowRefused
from server.cli.tables import (
    WHOLE,
    identity_of,
    instant_of,
    is_parquet,
    require_columns,
    require_no_more,
    table_rows,
    text_of,
)

REQUIRED: Final = ("member", "business_unit")
OPTIONAL: Final = (
    "row",
    "currency",
    "points",
    "funder",
    "earned_time",
    "expire_time",
    "metric",
    "amount",
    "money",
    "window",
    "tier",
    "tier_until_time",
    "member_since_time",
)
_BLOCK: Final = 1 << 20


class SourceFile(NamedTuple):
    """A file, the name under which its rows come in, and its digest."""

    path: Path
    source: str
    digest: str
    rows: int
    """How many there are, about: lines of a CSV file, one of which names the columns."""
    zone: ZoneInfo | None
    """Of times that name none."""


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """A row: a request, or what is wrong with it."""

    number: int
    name: str
    request: RecordOpeningRequest | None
    problem: str = ""


def source_file(path: Path, source: str, zone: ZoneInfo | None) -> SourceFile:
    """Read a file once for its digest. Raises FileRefused, also for columns that are not known."""
    next(table_rows(path, _check_columns), None)
    with path.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
        content.seek(0)
        lines = 0
        if not is_parquet(path):
            while block := content.read(_BLOCK):
                lines += block.count(b"\n")
    return SourceFile(path, source or path.stem, digest, max(lines - 1, 0), zone)


def opening_rows(file: SourceFile, *, enrol: bool, dry_run: bool = False) -> Iterator[OpeningRow]:
    """Rows in order, read as they are asked for."""
    names: set[bytes] = set()
    for number, row in enumerate(table_rows(file.path, _check_columns), 1):
        cells = {name: text_of(value) for name, value in row.items()}
        name = cells.get("row") or str(number)
        short = blake2b(name.encode(), digest_size=8).digest()
        try:
            if short in names:
                raise RowRefused("row", name, "a name that stands in the file once")
            names.add(short)
            request = _request(file, name, cells, row)
        except RowRefused as refused:
            yield OpeningRow(number, name, None, str(refused))
            continue
        request.enrol, request.validate_only = enrol, dry_run
        yield OpeningRow(number, name, request)


def _check_columns(names: list[str]) -> None:
    require_columns(names, REQUIRED, (*REQUIRED, *OPTIONAL))


def _request(
    file: SourceFile, name: str, cells: Mapping[str, str], row: Mapping[str, object]
) -> RecordOpeningRequest:
    require_no_more(row)
    identity = identity_of("member", cells["member"])
    if identity is None:
        raise RowRefused("member", "", 'scheme:value such as "card:8800"')
    unit = cells["business_unit"]
    if not unit:
        raise RowRefused("business_unit", "", "a business unit of the policy")
    request = RecordOpeningRequest(
        request_id=id_from("loyalty opening", file.source, name),
        origin=Origin(business_unit=unit, channel="import"),
        member=MemberRef(identity=Identity(scheme=identity[0], value=identity[1])),
        source=file.source,
        source_digest=file.digest,
        row=name,
    )
    points = _whole("points", cells)
    if points:
        request.lots.append(_lot(file, cells, row, points))
    if cells.get("metric"):
        request.metrics.append(_metric(cells))
    if cells.get("tier"):
        until = _time(file, "tier_until_time", cells, row)
        request.tier.CopyFrom(OpeningTier(tier=cells["tier"], until_time=until))
    since = _time(file, "member_since_time", cells, row)
    if since is not None:
        request.member_since_time.CopyFrom(since)
    return request


def _lot(
    file: SourceFile, cells: Mapping[str, str], row: Mapping[str, object], points: int
) -> OpeningLot:
    earned = _time(file, "earned_time", cells, row)
    if earned is None:
        raise RowRefused("earned_time", "", "when the points were earned")
    if not cells.get("currency"):
        raise RowRefused("currency", "", "a point currency of the policy")
    return OpeningLot(
        currency=cells["currency"],
        points=points,
        business_unit=cells["business_unit"],
        funder=cells.get("funder", ""),
        earned_time=earned,
        expire_time=_time(file, "expire_time", cells, row),
        tier_window="" if cells.get("metric") else cells.get("window", ""),
    )


def _metric(cells: Mapping[str, str]) -> OpeningMetric:
    amount = _whole("amount", cells)
    if not amount:
        raise RowRefused("amount", cells.get("amount", ""), "a whole number from 1")
    return OpeningMetric(
        metric=cells["metric"],
        business_unit=cells["business_unit"],
        currency_code=cells.get("money", ""),
        window=cells.get("window", ""),
        amount=amount,
    )


def _whole(column: str, cells: Mapping[str, str]) -> int:
    text = cells.get(column) or "0"
    if not WHOLE.fullmatch(text) or int(text) < 0:
        raise RowRefused(column, text, "a whole number, 0 or more; what is owed is not brought in")
    return int(text)


def _time(
    file: SourceFile, column: str, cells: Mapping[str, str], row: Mapping[str, object]
) -> Timestamp | None:
    if not cells.get(column):
        return None
    return to_timestamp(instant_of(column, row[column], file.zone))
