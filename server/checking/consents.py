"""The shape of consents. Every text is a code, so that no name gets into the history."""

import re
from collections.abc import Sequence
from typing import Final

from loyalty.v1.member_service_pb2 import ConsentChange
from loyalty.v1.types_pb2 import CONSENT_STATE_GRANTED, ConsentState
from server.checking import shape
from server.checking.documents import names

CHANGES_MAX: Final = 20
CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}")
CODE_EXPECTED: Final = "a code of 1 to 64 of a-z, A-Z, 0-9 and '. _ / : -'"
_STATES: Final = frozenset(ConsentState.values()) - {0}


def code(field: str, value: str) -> None:
    """Check a text that is to stand in the history for ever and to be about nobody."""
    if not CODE.fullmatch(value):
        shape.refuse(field, value, CODE_EXPECTED)


def consents(changes: Sequence[ConsentChange]) -> None:
    """Check what a member agrees to or withdraws."""
    if len(changes) > CHANGES_MAX:
        shape.refuse("consents", f"{len(changes)} entries", f"at most {CHANGES_MAX}")
    seen: set[tuple[str, str]] = set()
    for index, change in enumerate(changes):
        field = f"consents[{index}]"
        code(f"{field}.purpose", change.purpose)
        if change.channel:
            code(f"{field}.channel", change.channel)
        if change.state not in _STATES:
            shape.refuse(f"{field}.state", change.state, names(ConsentState.keys()))
        if change.wording_version or change.state == CONSENT_STATE_GRANTED:
            code(f"{field}.wording_version", change.wording_version)
        code(f"{field}.source", change.source)
        if (change.purpose, change.channel) in seen:
            shape.refuse(field, change.purpose, "a purpose and channel that stand there once")
        seen.add((change.purpose, change.channel))
