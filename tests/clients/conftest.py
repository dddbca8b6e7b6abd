"""A server beside the tests, which block, and a client of it that may do everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty_client import Client, Connection, origin
from tests.clients.beside import beside, publish
from tests.database_fixtures import blocking
from tests.server import requests
from tests.server.served import Served


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    """A server over a fresh database."""
    with beside(database, tmp_path) as running:
        yield running


@pytest.fixture
def connection(served: Served) -> Connection:
    """How to reach it, with the policy published and a member enrolled."""
    token = blocking(served.token("till"))
    publish(served, token)
    made = Connection(served.address, token, origin=origin("market", till="3"))
    with Client(made) as client:
        client.enrol_member(requests.enrolment())
    return made


@pytest.fixture
def client(connection: Connection) -> Iterator[Client]:
    """A client that may do everything."""
    with Client(connection) as opened:
        yield opened
