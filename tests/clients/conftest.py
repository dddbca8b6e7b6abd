"""A server beside the tests, which block, a client of it that may do everything, and a queue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty_client import Client, Connection, origin
from loyalty_client.offline import OfflineQueue
from tests.clients.beside import beside, publish
from tests.clients.tills import DEAD, HandClock, post_sale
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


@pytest.fixture
def clock() -> HandClock:
    """The till's clock."""
    return HandClock()


@pytest.fixture
def queue(tmp_path: Path, clock: HandClock) -> Iterator[OfflineQueue]:
    """An empty queue of a till of the market."""
    with OfflineQueue(tmp_path / "till.queue", origin=origin("market", till="3"), clock=clock) as q:
        yield q


@pytest.fixture
def rich(client: Client) -> Client:
    """The member has plenty of points."""
    client.post_document(post_sale(0, 2_000))
    return client


@pytest.fixture
def no_line(connection: Connection) -> Iterator[Client]:
    """The same client, who reaches nobody."""
    with Client(Connection(DEAD, connection.token)) as client:
        yield client
