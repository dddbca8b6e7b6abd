"""A till's days, each a process of its own that is killed where a test says.

    python -m tests.clients.till_process FOLDER ADDRESS TOKEN

reads lines "DAY DEADLY". For each it forks a process that lives through the day with a queue in
FOLDER and dies of SIGKILL at step DEADLY (0: not at all), and answers with the steps that were
lived and how the process ended. Steps are all statements to SQLite, and the moments before a call
is sent and after its answer has come.
"""

import os
import signal
import sqlite3
import sys
from typing import Any, Final

from loyalty.v1.ledger_service_pb2 import HoldPointsRequest, PostDocumentRequest
from loyalty_client import Client, Connection, identity, line, money, origin, points, sale
from loyalty_client.calls import Question, Reply, Unary
from loyalty_client.offline import OfflineQueue

CARD: Final = identity("card", "8800")
HELD: Final = 300
SPENT: Final = (120, 80)


class Doom:
    """Counts steps, and kills at one of them."""

    def __init__(self, deadly: int) -> None:
        self.steps = 0
        self._deadly = deadly

    def step(self, *_: object) -> None:
        """One step further."""
        self.steps += 1
        if self.steps == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalClient(Client):
    """May die before a call is sent, and after it was answered."""

    doom: Doom

    def send(
        self, call: Unary[Question, Reply], request: Question, *, timeout: float | None = None
    ) -> Reply:
        """As every client."""
        self.doom.step()
        answer = super().send(call, request, timeout=timeout)
        self.doom.step()
        return answer


def whole_day(queue: OfflineQueue, client: Client, day: str) -> None:
    """Take an allowance, sell, spend twice, give the rest back, upload. Doing it again is safe."""
    hold = HoldPointsRequest(
        request_id=f"{day}-hold", hold_id=f"{day}-H", member=CARD, points=points(HELD)
    )
    queue.take_allowance(client, hold)
    basket = sale(f"{day}-T", 1, [line("grocery", money("10.00", "USD"))])
    queue.put(PostDocumentRequest(request_id=f"{day}-sale", member=CARD, document=basket))
    for number, amount in enumerate(SPENT):
        queue.spend(f"{day}-H", amount, request_id=f"{day}-spend-{number}")
    queue.end_allowance(f"{day}-H")
    progress = queue.upload(client)
    assert progress.stopped_by is None, progress.stopped_by
    assert not queue.refused()


def live(path: str, connection: Connection, day: str, doom: Doom) -> None:
    """Live through a day, or not."""
    connect = sqlite3.connect

    def connect_mortal(*args: Any, **options: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(*args, **options)
        made.set_trace_callback(doom.step)
        return made

    sqlite3.connect = connect_mortal  # type: ignore[assignment]
    with (
        OfflineQueue(path, origin=origin("market", till="3")) as queue,
        MortalClient(connection) as client,
    ):
        client.doom = doom
        whole_day(queue, client, day)


def main(folder: str, address: str, token: str) -> None:
    """Let days pass. This process makes no call itself, so that gRPC may be forked."""
    for asked in sys.stdin:
        day, deadly = asked.split()
        child = os.fork()
        if not child:
            doom = Doom(int(deadly))
            live(f"{folder}/{day}.queue", Connection(address, token), day, doom)
            print(doom.steps, flush=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
