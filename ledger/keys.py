"""The key home: under which key a caller, or the ledger, finds again what was recorded.

    r/<client>/<request_id>                              one for each write
    d/<business_unit>/<source>/<document_id>#<version>   one for each posted version;
                                                         the first takes that of version 1 too
    d/<business_unit>/<source>/<document_id>#<version>.<move>
                                                         where it stands since a claim or a move
    u/<business_unit>/<source>/<document_id>#0           its claim, when it was unclaimed
    h/<business_unit>/<hold_id>#<act>                    a hold placed (0) and what touched it
    b/<entry_id>#<act>                                   a burn (0) and what reversed it
    t/<entry_id>#<act>                                   a transfer: sent (0), received or returned
                                                         (1), completed (2); that only one of two
                                                         outcomes finds its key free is what keeps
                                                         two processes from recording both
    c/<entry_id>#<act>                                   a conversion: given up (0), issued (1)
    a/<entry_id>#<act>                                   a proposed adjustment (0) and its end
    o/<source>#0                                         a source of opening balances
    o/<source>/<row>#0                                   one of its rows

Before `#` stands the thing, behind it a running number of ten digits, so that all acts on a thing
are one range of the index, in order. A key's lane is the lane of its thing.
"""

from collections.abc import Callable
from typing import Any, Final

from ledger.core.events import AnyFact
from loyalty.v1.events_pb2 import (
    AdjustmentMade,
    AdjustmentProposed,
    AdjustmentRejected,
    BurnReversed,
    ConvertedPointsIssued,
    DocumentClaimed,
    DocumentPosted,
    HoldCaptured,
    HoldMovedIn,
    HoldReleased,
    OpeningSourceDeclared,
    PointsBurned,
    PointsConverted,
    PointsHeld,
    PointsReceived,
    PointsReturned,
    PointsSent,
    ReversalReversed,
    TransferCompleted,
)

ACT: Final = "#"
AFTER_ACTS: Final = "$"
"""The character after `#`: thing + AFTER_ACTS is past every act of the thing."""
_ESCAPES: Final = str.maketrans({"%": "%25", "/": "%2F", "#": "%23"})


def _part(text: str) -> str:
    """Escape what separates the parts of a key; identifiers seldom contain it."""
    return text.translate(_ESCAPES) if not text.isalnum() else text


def request_key(client: str, request_id: str) -> str:
    """Key of one write of one client."""
    return f"r/{_part(client)}/{_part(request_id)}"


def document_thing(business_unit: str, source: str, document_id: str) -> str:
    """Thing under which a document's versions are found."""
    return f"d/{_part(business_unit)}/{_part(source)}/{_part(document_id)}"


def key_thing(key: str) -> str:
    """Thing of the document with a key, business_unit/source/document_id."""
    return document_thing(*key.split("/", 2))


def claim_thing(document: str) -> str:
    """Thing under which the claim of a document, named by its own thing, is found."""
    return "u" + document.removeprefix("d")


def moved_key(key: str, thing: str, version: int) -> str:
    """Key of a version that stands in another stream now, behind the newest key it had so far."""
    number = int(key.partition(".")[2] or 0) + 1
    return f"{act_key(thing, version)}.{number:04d}"


def hold_thing(business_unit: str, hold_id: str) -> str:
    """Thing under which a hold's acts are found."""
    return f"h/{_part(business_unit)}/{_part(hold_id)}"


def burn_thing(entry_id: str) -> str:
    """Thing under which a burn's acts, or the reversal with this id, are found."""
    return f"b/{_part(entry_id)}"


def transfer_thing(entry_id: str) -> str:
    """Thing under which the facts of a transfer are found."""
    return f"t/{_part(entry_id)}"


def conversion_thing(entry_id: str) -> str:
    """Thing under which the facts of a conversion are found."""
    return f"c/{_part(entry_id)}"


def proposal_thing(entry_id: str) -> str:
    """Thing under which a proposed adjustment and its end are found."""
    return f"a/{_part(entry_id)}"


def source_thing(source: str) -> str:
    """Thing under which it is found which file a source of opening balances is."""
    return f"o/{_part(source)}"


def row_thing(source: str, row: str) -> str:
    """Thing under which a row of a source is found."""
    return f"o/{_part(source)}/{_part(row)}"


def act_key(thing: str, act: int) -> str:
    """Key of the act with this number."""
    return f"{thing}{ACT}{act:010d}"


def thing_of(key: str) -> str:
    """The part of a key that decides its lane."""
    return key.partition(ACT)[0]


def keys_of(fact: AnyFact) -> tuple[str, ...]:
    """Keys under which a fact is found again, besides the request that caused it.

    A document's key is left to its handler, which stores command and answer with it.
    """
    keys = _KEYS.get(type(fact))
    return () if keys is None else keys(fact)


def _claimed(fact: DocumentClaimed) -> tuple[str, ...]:
    # A key that only one claim can take, whoever decides it.
    return (act_key(claim_thing(key_thing(fact.document)), 0),)


def _held(fact: PointsHeld) -> tuple[str, ...]:
    return (act_key(hold_thing(fact.business_unit, fact.hold_id), 0),)


def _captured(fact: HoldCaptured) -> tuple[str, ...]:
    hold = act_key(hold_thing(fact.business_unit, fact.hold_id), fact.act)
    return (hold, act_key(burn_thing(fact.entry_id), 0))


def _released(fact: HoldReleased | HoldMovedIn) -> tuple[str, ...]:
    return (act_key(hold_thing(fact.business_unit, fact.hold_id), fact.act),)


def _burned(fact: PointsBurned) -> tuple[str, ...]:
    return (act_key(burn_thing(fact.entry_id), 0),)


def _reversed(fact: BurnReversed | ReversalReversed) -> tuple[str, ...]:
    of_burn = act_key(burn_thing(fact.burn_entry_id), fact.act)
    if fact.entry_id == fact.burn_entry_id:
        # A fee that comes back in the entry that it was burned in.
        return (of_burn,)
    return (of_burn, act_key(burn_thing(fact.entry_id), 0))


def _proposed(fact: AdjustmentProposed) -> tuple[str, ...]:
    return (act_key(proposal_thing(fact.entry_id), 0),)


def _proposal_ended(fact: AdjustmentRejected | AdjustmentMade) -> tuple[str, ...]:
    if not fact.proposal_id:
        return ()
    return (act_key(proposal_thing(fact.proposal_id), fact.act),)


def _transfer(act: int) -> Callable[[Any], tuple[str, ...]]:
    return lambda fact: (act_key(transfer_thing(fact.entry_id), act),)


def _conversion(act: int) -> Callable[[Any], tuple[str, ...]]:
    return lambda fact: (act_key(conversion_thing(fact.entry_id), act),)


_KEYS: Final[dict[type, Callable[[Any], tuple[str, ...]]]] = {
    DocumentClaimed: _claimed,
    PointsHeld: _held,
    HoldCaptured: _captured,
    HoldReleased: _released,
    HoldMovedIn: _released,
    PointsBurned: _burned,
    BurnReversed: _reversed,
    ReversalReversed: _reversed,
    PointsSent: _transfer(0),
    PointsReceived: _transfer(1),
    PointsReturned: _transfer(1),
    TransferCompleted: _transfer(2),
    PointsConverted: _conversion(0),
    ConvertedPointsIssued: _conversion(1),
    AdjustmentProposed: _proposed,
    AdjustmentRejected: _proposal_ended,
    AdjustmentMade: _proposal_ended,
    OpeningSourceDeclared: lambda fact: (act_key(source_thing(fact.source), 0),),
}


def document_key(fact: DocumentPosted) -> str:
    """Key of a posted version."""
    document = fact.document
    thing = document_thing(fact.business_unit, document.source, document.document_id)
    return act_key(thing, document.version)
