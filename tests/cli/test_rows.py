"""Transaction files are read exactly, and what cannot be read exactly is refused by name."""

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from server.cli.refused import FileRefused
from server.cli.rows import ReadDocument, Reading, read

HEADER = "business_unit,source,document_id,occurred_time,member,category,net_amount,currency\n"
ROW = "market,till,{id},2017-03-01T10:00:00Z,card:8800,grocery,{net},{currency}\n"


def written(folder: Path, text: str, name: str = "sales.csv") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def only(documents: list[ReadDocument]) -> ReadDocument:
    """The one document there is."""
    assert len(documents) == 1
    return documents[0]


def one_row(folder: Path, *, net: str = "12.50", currency: str = "USD") -> ReadDocument:
    """A file of one row, read."""
    text = HEADER + ROW.format(id="T-1", net=net, currency=currency)
    return only(read(written(folder, text), Reading()))


def test_rows_of_one_document_become_its_lines(tmp_path: Path) -> None:
    text = HEADER + "".join(
        ROW.format(id=name, net=net, currency="USD")
        for name, net in (("A", "1.00"), ("B", "2.50"), ("A", "0.05"))
    )
    first, second = read(written(tmp_path, text), Reading())
    assert [line.net for line in first.lines] == [100, 5]
    assert [line.line_id for line in first.lines] == ["1", "2"]
    assert [line.net for line in second.lines] == [250]
    assert first.member == ("card", "8800")


@pytest.mark.parametrize(
    ("net", "currency", "minor", "rounded"),
    [
        ("12.50", "USD", 1250, "0"),
        ("-0.01", "EUR", -1, "0"),
        ("100", "JPY", 100, "0"),
        ("1.234", "BHD", 1234, "0"),
        ("0.125", "GBP", 12, "-0.005"),
        ("0.135", "GBP", 14, "0.005"),
        ("999999999999999.99", "USD", 99999999999999999, "0"),
    ],
)
def test_amounts_become_minor_units_rounded_half_to_even(
    tmp_path: Path, net: str, currency: str, minor: int, rounded: str
) -> None:
    line = only([one_row(tmp_path, net=net, currency=currency)]).lines[0]
    assert line.net == minor
    assert line.rounded == Decimal(rounded)


@pytest.mark.parametrize(
    ("net", "currency", "problem"),
    [
        ("1,250.00", "USD", "no separators"),
        ("1e3", "USD", "net_amount"),
        ("NaN", "USD", "net_amount"),
        ("", "USD", "net_amount"),
        ("1.00", "USX", "ISO 4217"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_row(
    tmp_path: Path, net: str, currency: str, problem: str
) -> None:
    quoted = f'"{net}"'
    document = one_row(tmp_path, net=quoted, currency=currency)
    assert document.problem.startswith("row 1: ")
    assert problem in document.problem


def test_a_row_with_more_cells_than_columns_is_refused_with_what_would_be_lost(
    tmp_path: Path,
) -> None:
    header = "business_unit,source,document_id,occurred_time,category,currency,net_amount\n"
    row = "market,till,T-{},2017-03-01T10:00:00Z,grocery,EUR,12{}50\n"
    text = header + row.format(1, ".") + row.format(2, ",")
    sound, cut = read(written(tmp_path, text), Reading())
    assert (sound.problem, sound.lines[0].net) == ("", 1250)
    assert cut.problem.startswith("row 2: beyond the last column = ['50']: expected no more cells")
    assert "12.50" in cut.problem
    assert not cut.lines


def parquet(folder: Path, net: pa.Array, occurred: pa.Array) -> Path:
    """A Parquet file of one row."""
    path = folder / "sales.parquet"
    text = {
        "business_unit": ["market"],
        "source": ["till"],
        "document_id": ["T-1"],
        "category": ["grocery"],
        "currency": ["USD"],
    }
    pq.write_table(pa.table({**text, "net_amount": net, "occurred_time": occurred}), path)
    return path


def test_floats_are_refused_unless_their_decimals_are_stated(tmp_path: Path) -> None:
    at = pa.array(["2017-03-01T10:00:00Z"])
    path = parquet(tmp_path, pa.array([2.2899999999999996]), at)
    assert "--float-digits" in only(read(path, Reading())).problem
    assert only(read(path, Reading(float_digits=2))).lines[0].net == 229
    path = parquet(tmp_path, pa.array([0.125]), at)
    assert "2 decimals" in only(read(path, Reading(float_digits=2))).problem


def test_times_without_a_zone_need_one_from_the_command_line(tmp_path: Path) -> None:
    noon = pa.array([1_488_369_600_000_000], pa.timestamp("us"))
    path = parquet(tmp_path, pa.array(["1.00"]), noon)
    assert "--zone" in only(read(path, Reading())).problem
    lisbon, york = (
        only(read(path, Reading(zone=ZoneInfo(name)))).occurred_at
        for name in ("Europe/Lisbon", "America/New_York")
    )
    assert york - lisbon == 5 * 3600 * 1_000_000


def test_rows_of_one_document_must_agree(tmp_path: Path) -> None:
    text = HEADER + ROW.format(id="A", net="1", currency="USD")
    text += ROW.format(id="A", net="1", currency="EUR")
    assert "'USD' as in its first row" in only(read(written(tmp_path, text), Reading())).problem


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("a,b\n1,2\n", "sales.csv", "columns are missing: business_unit"),
        (HEADER.replace("member", "membre"), "sales.csv", "not known: membre"),
        (HEADER.replace(",net_amount", ""), "sales.csv", "exactly one of"),
        (HEADER.replace("member", "net_amount"), "sales.csv", "named twice: net_amount"),
        (HEADER.replace(",", ";"), "sales.csv", "separated by semicolons: expected a CSV file"),
        (HEADER.replace(",", "\t"), "sales.csv", "separated by tabs: expected a CSV file"),
        (HEADER, "sales.xlsx", "named .csv or .parquet"),
    ],
)
def test_a_file_that_is_not_one_is_refused_as_a_whole(
    tmp_path: Path, text: str, name: str, problem: str
) -> None:
    with pytest.raises(FileRefused, match=problem):
        read(written(tmp_path, text, name), Reading())


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.parquet", b"x", "a.parquet cannot be read as Parquet: "),
        ("a.csv", HEADER.encode() + "caf\u00e9".encode("latin-1"), "a.csv: expected text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileRefused) as refused:
        read(tmp_path / name, Reading())
    assert str(refused.value).startswith(told)
