"""A till that is killed, wherever that is: nothing is lost, and nothing is counted twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.v1.account_service_pb2 import VIEW_FULL, GetAccountRequest
from loyalty.v1.audit_service_pb2 import StreamEventsRequest
from loyalty.v1.ledger_service_pb2 import PostDocumentRequest
from loyalty_client import Client, Connection, line, money, sale
from loyalty_client.offline import OfflineQueue
from tests.clients.till_process import CARD, SPENT

ROOT = Path(__file__).resolve().parents[2]


class Days:
    """Lets days of a till pass, each with a file of its own."""

    def __init__(self, till: "subprocess.Popen[str]", folder: Path) -> None:
        self._till = till
        self._folder = folder

    def file(self, day: str) -> Path:
        """The queue of a day."""
        return self._folder / f"{day}.queue"

    def live(self, day: str, deadly: int = 0) -> tuple[int, int]:
        """Live through a day, or die at a step of it: the exit code, and the steps of who lived."""
        assert self._till.stdin is not None
        assert self._till.stdout is not None
        print(day, deadly, file=self._till.stdin, flush=True)
        steps = 0
        while not (line := self._till.stdout.readline()).startswith("ended"):
            assert line, "the till's process is gone"
            steps = int(line)
        return int(line.split()[1]), steps

    def killed_and_repeated(self, deadly: int) -> str:
        """A day that ends at a step, and then again from its morning; its name."""
        day = f"day{deadly}"
        assert self.live(day, deadly) == (-signal.SIGKILL, 0)
        assert self.live(day)[0] == 0
        return day


@pytest.fixture
def days(connection: Connection, client: Client, tmp_path: Path) -> Iterator[Days]:
    """Days of a till, for a member who has plenty of points."""
    rich = sale("T-0", 1, [line("grocery", money("90000.00", "USD"))])
    client.post_document(PostDocumentRequest(member=CARD, document=rich))
    command = [sys.executable, "-m", "tests.clients.till_process", str(tmp_path)]
    with subprocess.Popen(
        [*command, connection.target, str(connection.token)],
        cwd=ROOT,
        env={"PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as till:
        yield Days(till, tmp_path)


def points_of(client: Client) -> tuple[int, int]:
    """Available and held."""
    request = GetAccountRequest(member=CARD, view=VIEW_FULL)
    account = client.get_account(request).account
    [row] = [row for row in account.balances if row.currency == "point"]
    return row.available, row.held


def earned_on(days: Days, day: str) -> int:
    """What the sale of a day earned, as the till was told."""
    with OfflineQueue(days.file(day)) as queue:
        assert not queue.waiting()
        found = queue.find(f"{day}-sale")
        assert found is not None
        movements = found.answer.posting.movements
    return sum(each.points for each in movements if each.currency == "point")


@pytest.mark.slow
def test_a_till_killed_at_any_step_loses_and_doubles_nothing(days: Days, client: Client) -> None:
    code, steps = days.live("day0")
    assert code == 0
    assert steps > 60
    before, _ = points_of(client)
    lived = [days.killed_and_repeated(deadly) for deadly in range(1, steps + 1)]
    earned = sum(earned_on(days, day) for day in lived)
    assert points_of(client) == (before + earned - len(lived) * sum(SPENT), 0)
    kinds = [
        event.event.WhichOneof("kind")
        for message in client.stream_events(StreamEventsRequest(decode=True))
        for event in message.events
    ]
    # The day that nobody disturbed, and one for each step.
    assert kinds.count("points_held") == kinds.count("hold_released") == len(lived) + 1
    assert kinds.count("hold_captured") == len(SPENT) * (len(lived) + 1)
