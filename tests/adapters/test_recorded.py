"""Every recorded payload that says what the ledger is to make of it is named by a test."""

import ast
import csv
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
FOLDERS = {"opera_ohip": "opera", "opera_ota_htng": "ota"}
"""Folders that are not called like their system."""
NO_ADAPTER = ("adobe_commerce", "saleor")
REFERENCE = {
    "post_charge_to_folio.postman.json.tmpl": "a request with blanks, which nothing sends here",
    "post_payment.postman.json.tmpl": "a request with blanks, which nothing sends here",
    "schema_stayRecord_defs.json": "a schema, of which a test could only repeat the words",
    "schema_outbound_comp_redemption_defs.json": "a schema: test_opera_vendor.py calls by it",
    "schema_outbound_membership_defs.json": "a schema: test_opera_vendor.py calls by it",
}


def named_by(system: str) -> set[str]:
    """All texts in the tests of a system."""
    files = sorted(TESTS.glob(f"test_{system}*.py"))
    assert files, system
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return {
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def rows(payloads: Path) -> list[tuple[str, str]]:
    """File and expectation of every recorded payload."""
    index = (payloads / "INDEX.tsv").read_text(encoding="utf-8").splitlines()
    found = csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [(row["file"], row["ledger_expectation"]) for row in found]


def test_each_file_of_the_index_is_named_by_a_test(payloads: Path) -> None:
    missing = []
    for file, expected in rows(payloads):
        folder, _, name = file.partition("/")
        if folder in NO_ADAPTER or name in REFERENCE or not expected:
            continue
        texts = named_by(FOLDERS.get(folder, folder))
        stem = name.rpartition(".")[0]
        if not {name, stem, stem.removeprefix("ncr_acs_")} & texts:
            missing.append(file)
    assert not missing


def test_what_is_excepted_is_there(payloads: Path) -> None:
    files = [file for file, _ in rows(payloads)]
    assert {file.rpartition("/")[2] for file in files} >= set(REFERENCE)
    assert {file.partition("/")[0] for file in files} >= set(NO_ADAPTER)
    assert all((payloads / file).is_file() for file in files)


@pytest.mark.parametrize("system", NO_ADAPTER)
def test_a_system_without_adapter_has_none(system: str) -> None:
    assert not list((TESTS.parents[1] / "adapters").glob(f"{system}*"))
