"""Whatever was answered once is answered the same for ever."""

from collections.abc import Iterable
from typing import Any

from ledger.act import Answer
from loyalty.v1.ledger_service_pb2 import OUTCOME_POSTED, OUTCOME_UNSPECIFIED, Posting
from tests.simulation.traffic import Sent, Traffic


async def check_replays(traffic: Traffic, requests: Iterable[Sent]) -> None:
    """Ask again what was recorded, and compare the answers word by word."""
    for sent in requests:
        if isinstance(sent.result, Answer) and _recorded(sent.result):
            again = await traffic.send(sent.request)
            assert isinstance(again, Answer)
            assert again.replayed, sent.request
            assert _words(again) == _words(sent.result), sent.request


def _recorded(answer: Answer) -> bool:
    return not isinstance(answer.message, Posting) or answer.message.outcome == OUTCOME_POSTED


def _words(answer: Answer) -> Any:
    """The answer, without that it was given before."""
    message = type(answer.message).FromString(answer.encoded)
    if isinstance(message, Posting):
        message.outcome = OUTCOME_UNSPECIFIED
    return message
