"""What every test shares: the folder of real data, and a CI in which a skip is a failure."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.database_fixtures import (
    data_dir,
    database,
    empty_database,
    module_database,
    postgres_url,
    template_database,
)

__all__ = [
    "data_dir",
    "database",
    "empty_database",
    "module_database",
    "postgres_url",
    "template_database",
]

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("LOYALTY_SHARED") or ROOT.parent / "shared")
IN_CI = os.environ.get("LOYALTY_CI") == "1"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and recorded payloads, which is not part of the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data at {SHARED.name}/ beside the project; set LOYALTY_SHARED")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database, so that CI can run just that on a second PostgreSQL."""
    for item in items:
        if isinstance(item, pytest.Function) and "postgres_url" in item.fixturenames:
            item.add_marker("database")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI, which installs whatever a bare machine may lack."""
    report = yield
    # An expected failure is reported as skipped too; the absent data alone excuses a skip.
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        if (SHARED / "data").is_dir() or "LOYALTY_SHARED" not in reason:
            report.outcome = "failed"
            report.longrepr = f"CI skips nothing, but this was skipped: {reason}"
    return report
