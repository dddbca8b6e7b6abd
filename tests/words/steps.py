"""Steps of a story: a sentence for each thing that a ledger can be asked to do."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import yaml

from ledger.core.instant import to_timestamp
from ledger.core.refusals import Refusal
from loyalty.v1.audit_service_pb2 import ClosePeriodRequest
from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    AdjustPointsRequest,
    DeclineTransferRequest,
    Posting,
)
from loyalty.v1.member_service_pb2 import GrantTierRequest
from loyalty.v1.types_pb2 import (
    DOCUMENT_STATUS_CANCELLED,
    DOCUMENT_STATUS_PENDING,
    DocumentLine,
    MemberRef,
    Origin,
    Points,
)
from tests.store.moving import Mover
from tests.store.openings import lot, row
from tests.store.stories import claim, move
from tests.store.till import Till, at

NOBODY = "nobody"
LINE = re.compile(
    r"(?P<net>-?\d+\.\d\d)(?: (?P<category>[a-z_/]+))?(?: less (?P<paid>\d+\.\d\d) in points)?"
)
Found = dict[str, str]


@dataclass
class Teller:
    """Tells one story to a ledger, and remembers what its words stand for."""

    till: Till
    policy: str
    """The policy that was published last."""
    version: int = 1
    members: dict[str, MemberRef] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    lots: dict[str, str] = field(default_factory=dict)
    """Name of a lot by its id: the document it was earned with, or as it was brought in."""
    who: str = ""
    posting: Posting | None = None
    refusal: Refusal | None = None
    tellings: int = 0

    async def member(self, name: str) -> MemberRef:
        """A member by name; whoever is named first joins then."""
        if name not in self.members:
            self.members[name] = await self.till.enrol(name)
        return self.members[name]

    async def tell(self, happens: str) -> None:
        """Let a sentence happen, and remember what it was answered."""
        self.posting = self.refusal = None
        for pattern, step in STEPS:
            if found := pattern.fullmatch(happens):
                told = {name: value or "" for name, value in found.groupdict().items()}
                self.who = told.get("who") or self.who
                try:
                    self.posting = await step(self, told)
                except Refusal as refusal:
                    self.refusal = refusal
                await self._name_lots(told)
                return
        raise ValueError(f"nobody knows how to do this: {happens!r}")

    async def _name_lots(self, told: Found) -> None:
        for member in self.members.values():
            account, _ = await self.till.ledger.reads.account(member)
            for each in account.lots:
                name = told.get("lot") or each.document.rpartition("/")[2]
                self.lots.setdefault(each.lot_id, name)
        for movement in self.posting.movements if self.posting else ():
            for moved in movement.lots:
                self.lots[moved.lot_id] = self.lots[moved.parent_lot_id]
            if movement.lot_id:
                self.lots.setdefault(movement.lot_id, told.get("doc", ""))


Step = Callable[[Teller, Found], Awaitable[Posting | None]]
STEPS: list[tuple[re.Pattern[str], Step]] = []


def step(pattern: str) -> Callable[[Step], Step]:
    """A sentence and what it does; AT and ON stand for a unit and a time of their own."""
    whole = pattern.replace(" AT", r"(?: at (?P<unit>[ab]))?").replace(
        " ON", r"(?: on (?P<on>\d{4}-\d\d-\d\d(?: [\d:]+)?))?"
    )

    def known(function: Step) -> Step:
        STEPS.append((re.compile(whole), function))
        return function

    return known


def iso(words: str) -> str:
    """A time in words as ISO writes it; a date alone is its noon."""
    day, _, clock = words.partition(" ")
    return f"{day}T{clock or '12:00'}" if day else ""


@step(r"the policy changes from (?P<day>[\d-]+): (?P<before>.+) becomes (?P<after>.+)")
async def changes(teller: Teller, told: Found) -> None:
    assert told["before"] in teller.policy, f"the policy does not say {told['before']}"
    await _publish(teller, teller.policy.replace(told["before"], told["after"]), told["day"])


@step(r"silver for (?P<points>\d+) qp is put below gold from (?P<day>[\d-]+)")
async def puts_between(teller: Teller, told: Found) -> None:
    policy = yaml.load(teller.policy, Loader=yaml.BaseLoader)
    needs = [[{"currency": "qp", "at_least": told["points"]}]]
    policy["tiers"]["ladder"].insert(-1, {"id": "silver", "reach_any": needs})
    await _publish(teller, yaml.safe_dump(policy), told["day"])


async def _publish(teller: Teller, text: str, day: str) -> None:
    policy = yaml.load(text, Loader=yaml.BaseLoader)
    teller.version += 1
    policy |= {"version": str(teller.version), "effective_from": f"{day}T00:00:00Z"}
    teller.policy = yaml.safe_dump(policy, sort_keys=False)
    await teller.till.publish(teller.policy)


@step(r"(?P<who>\w+) joins")
async def joins(teller: Teller, told: Found) -> None:
    await teller.member(told["who"])


@step(
    r"(?P<who>\w+) (?P<verb>buys|books|keeps) (?P<doc>\w+) v(?P<version>\d+)"
    r"(?: of (?P<of>[ab]))? AT ON(?: with code (?P<code>\w+))?"
    r"(?P<moved>, moved to them)?: (?P<lines>.+)"
)
async def posts(teller: Teller, told: Found) -> Posting:
    member = None if told["who"] == NOBODY else await teller.member(told["who"])
    request = teller.till.document(
        member,
        told["doc"],
        int(told["version"]),
        0,
        unit=told["unit"] or "a",
        occurred=iso(told["on"]),
    )
    del request.document.lines[:]
    lines = told["lines"].split(" + ") if told["lines"] != "nothing" else []
    request.document.lines.extend(_line(number, each) for number, each in enumerate(lines, 1))
    request.document.receipt_code = told["code"]
    request.move = bool(told["moved"])
    request.document_unit = told["of"]
    if told["verb"] == "books":
        request.document.status = DOCUMENT_STATUS_PENDING
    return await teller.till.post(request)


def _line(number: int, words: str) -> DocumentLine:
    found = LINE.fullmatch(words)
    if found is None:
        raise ValueError(f"no line: {words!r}")
    return DocumentLine(
        line_id=str(number),
        category=found["category"] or "food",
        net_minor_units=int(found["net"].replace(".", "")),
        paid_with_points_minor_units=int((found["paid"] or "0").replace(".", "")),
    )


@step(r"(?P<who>\w+) cancels (?P<doc>\w+) v(?P<version>\d+) AT ON")
async def cancels(teller: Teller, told: Found) -> Posting:
    member = None if told["who"] == NOBODY else await teller.member(told["who"])
    request = teller.till.document(
        member,
        told["doc"],
        int(told["version"]),
        unit=told["unit"] or "a",
        occurred=iso(told["on"]),
    )
    request.document.status = DOCUMENT_STATUS_CANCELLED
    return await teller.till.post(request)


@step(r"(?P<who>\w+) claims (?P<doc>\w+) with (?P<code>\w+)")
async def claims(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    return await teller.till.post(claim(teller.till, member, told["doc"], told["code"]))


@step(r"staff move (?P<doc>\w+) to (?P<who>\w+)")
async def moves(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    return await teller.till.post(move(teller.till, member, told["doc"]))


@step(
    r"(?P<who>\w+) brings (?P<points>\d+) of (?P<issuer>[ab]) as (?P<lot>\w+)"
    r"(?:, earned (?P<earned>[\d-]+))?(?:, until (?P<until>[\d-]+))?"
)
async def brings(teller: Teller, told: Found) -> None:
    await teller.member(told["who"])
    teller.tellings += 1
    brought = lot(
        int(told["points"]),
        unit=told["issuer"],
        earned=told["earned"] or "2025-01-01",
        expires=told["until"],
    )
    await teller.till.write(
        row(teller.till, teller.tellings, brought, card=told["who"], enrol=False)
    )


@step(r"(?P<who>\w+) burns (?P<points>\d+) AT ON(?: as (?P<entry>\w+))?")
async def burns(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    request = teller.till.burn(
        member, int(told["points"]), told["unit"] or "a", occurred=iso(told["on"])
    )
    return _called(teller, told, await teller.till.post(request))


@step(r"(?P<who>\w+) holds (?P<points>\d+) as (?P<hold>\w+)")
async def holds(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    return await teller.till.post(teller.till.hold(member, told["hold"], int(told["points"])))


@step(
    r"the till captures (?P<last>the last )?(?P<points>\d+) of (?P<hold>\w+)(?: as (?P<entry>\w+))?"
)
async def captures(teller: Teller, told: Found) -> Posting:
    request = teller.till.capture(told["hold"], int(told["points"]), final=bool(told["last"]))
    return _called(teller, told, await teller.till.post(request))


@step(r"the till releases (?P<hold>\w+)")
async def releases(teller: Teller, told: Found) -> Posting:
    return await teller.till.post(teller.till.release(told["hold"]))


@step(r"the till reverses (?:(?P<points>\d+) of )?(?P<what>\w+) AT(?: as (?P<entry>\w+))?")
async def reverses(teller: Teller, told: Found) -> Posting:
    entry = teller.entries[told["what"]]
    request = teller.till.reverse(entry, int(told["points"] or 0), told["unit"] or "a")
    return _called(teller, told, await teller.till.post(request))


def _called(teller: Teller, told: Found, posting: Posting) -> Posting:
    if told["entry"]:
        teller.entries[told["entry"]] = posting.entry_id
    return posting


@step(r"(?P<who>\w+) is (?P<tier>\w+) until (?P<until>[\d-]+) ON")
async def grants(teller: Teller, told: Found) -> None:
    member = await teller.member(told["who"])
    origin = Origin(business_unit="a")
    if told["on"]:
        origin.occurred_time.CopyFrom(to_timestamp(at(iso(told["on"]))))
    await teller.till.write(
        GrantTierRequest(
            request_id=teller.till.rid(),
            origin=origin,
            member=member,
            tier=told["tier"],
            until_time=to_timestamp(at(f"{told['until']}T00:00")),
            reason="status match",
        )
    )


@step(r"(?P<who>\w+) sends (?P<points>\d+) to (?P<other>\w+) as (?P<entry>\w+)")
async def sends(teller: Teller, told: Found) -> Posting:
    sender, receiver = await teller.member(told["who"]), await teller.member(told["other"])
    mover = Mover(teller.till)
    posting = await mover.sends(sender, receiver, int(told["points"]))
    await mover.brought_on(posting.entry_id)
    return _called(teller, told, posting)


@step(r"(?P<who>\w+) (?P<answer>accepts|declines) (?P<what>\w+)")
async def answers(teller: Teller, told: Found) -> None:
    member, transfer = await teller.member(told["who"]), teller.entries[told["what"]]
    kind = AcceptTransferRequest if told["answer"] == "accepts" else DeclineTransferRequest
    mover = Mover(teller.till)
    await teller.till.post(mover.about(kind, member, transfer))
    await mover.brought_on(transfer)


@step(r"(?P<who>\w+) converts (?P<points>\d+) by (?P<terms>\w+)")
async def converts(teller: Teller, told: Found) -> Posting:
    member = await teller.member(told["who"])
    mover = Mover(teller.till)
    return await teller.till.post(mover.convert(member, int(told["points"]), told["terms"]))


@step(
    r"(?P<by>u\d) (?P<verb>gives|takes) (?P<points>\d+) (?:to|from) (?P<who>\w+)"
    r"(?: for (?P<reason>\w+))?(?: with (?P<approver>u\d))?"
)
async def adjusts(teller: Teller, told: Found) -> Posting:
    sign = 1 if told["verb"] == "gives" else -1
    request = AdjustPointsRequest(
        request_id=teller.till.rid(),
        origin=Origin(business_unit="a", operator=told["by"]),
        member=await teller.member(told["who"]),
        points=Points(currency="p", amount=sign * int(told["points"])),
        reason=told["reason"],
        approver=told["approver"],
    )
    return await teller.till.post(request)


@step(r"(?P<month>\d{4}-\d\d) is closed")
async def closes(teller: Teller, told: Found) -> None:
    await teller.till.write(
        ClosePeriodRequest(request_id=teller.till.rid(), period=told["month"], operator="anna")
    )


@step(r"(?P<who>\w+) is looked at")
async def passes(teller: Teller, told: Found) -> None:
    """Nothing is asked of the ledger: what time has decided shows by itself."""
