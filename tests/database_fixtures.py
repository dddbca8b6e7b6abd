"""A real PostgreSQL for the tests: LOYALTY_TEST_DATABASE_URL, or the packaged one for a session."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import pytest

from server.database import connect, migrate, normalised
from server.embedded import Lease

T = TypeVar("T")


def blocking(coroutine: Coroutine[object, object, T]) -> T:
    """Run `coroutine` to its end on a loop of its own, away from the test's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def renamed(url: str, database: str) -> str:
    """Return `url` for another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def fresh_name() -> str:
    """Return a database name that no parallel test run has."""
    return f"loyalty_test_{uuid.uuid4().hex}"


async def execute(url: str, statement: str) -> None:
    """Run one statement as the login of `url`."""
    connection = await connect(url, role=None)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for an embedded server; pytest's own are closed to the user that root becomes."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
    folder.chmod(0o711)
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server on which tests may create databases."""
    if given := os.environ.get("LOYALTY_TEST_DATABASE_URL"):
        yield normalised(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
    folder.chmod(0o711)
    lease = Lease(folder / "data", parameters={"shared_buffers": "64MB"})
    try:
        yield lease.open()
    finally:
        lease.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The name of a migrated database; nobody may be connected to it while it is copied."""
    name = fresh_name()
    blocking(execute(postgres_url, f"CREATE DATABASE {name}"))
    blocking(migrate(renamed(postgres_url, name)))
    yield name
    blocking(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def database(postgres_url: str, template_database: str) -> Iterator[str]:
    """The URL of a freshly migrated database of the test's own, with 16 lanes."""
    with _copied(postgres_url, template_database) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_url: str, template_database: str) -> Iterator[str]:
    """As `database`, one for all tests of a module."""
    with _copied(postgres_url, template_database) as url:
        yield url


@contextmanager
def _copied(postgres_url: str, template_database: str) -> Iterator[str]:
    name = fresh_name()
    blocking(execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template_database}"))
    yield renamed(postgres_url, name)
    blocking(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def empty_database(postgres_url: str) -> Iterator[str]:
    """The URL of a database of the test's own without any table."""
    name = fresh_name()
    blocking(execute(postgres_url, f"CREATE DATABASE {name}"))
    yield renamed(postgres_url, name)
    blocking(execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))
