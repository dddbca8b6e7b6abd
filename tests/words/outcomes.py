"""What comes of a step: every clause is asked of the ledger, and compared as it stands."""

import re
from collections import Counter
from collections.abc import Awaitable, Callable

from ledger.core.events import decode, kind_of
from ledger.core.state import Account
from loyalty.v1.audit_service_pb2 import GetSettlementRequest
from loyalty.v1.ledger_service_pb2 import (
    OUTCOME_POSTED,
    OUTCOME_REPLAYED,
    OUTCOME_SUPERSEDED,
    Posting,
)
from projections.settlement import settlement_matrix
from server.auth import Principal
from server.services.settlement_reads import SettlementReads
from tests.projections.following import follow_to_the_end
from tests.store.till import at
from tests.words.steps import Found, Teller, iso

ANSWERS = {
    "posted": OUTCOME_POSTED,
    "replayed": OUTCOME_REPLAYED,
    "superseded": OUTCOME_SUPERSEDED,
}
GIVEN = {
    "points_earned": 1,
    "points_pended": 1,
    "points_adjusted": 1,
    "points_clawed_back": -1,
    "pending_clawed_back": -1,
    "arrears_incurred": -1,
    "clawback_written_off": -1,
}
TOTALS = {
    "issued": ("points_earned", "points_pended", "opening_lot_recorded", "points_adjusted"),
    "clawed back": ("points_clawed_back", "pending_clawed_back"),
    "burned": ("points_burned", "hold_captured"),
    "expired": ("points_expired",),
    "written off": ("clawback_written_off",),
    "repaid": ("arrears_repaid",),
}
EVERYONE = Principal("auditor", frozenset({"*"}), frozenset({"audit"}))

Seen = Callable[[Teller, Found], Awaitable[object]]
CLAUSES: list[tuple[re.Pattern[str], Seen]] = []


def clause(pattern: str) -> Callable[[Seen], Seen]:
    """A clause; what its function returns has to be what the group `is` says, in the same words."""
    whole = pattern.replace("WHO ", r"(?:(?P<who>[A-Z]\w*) )?").replace(
        " QP", r"(?: (?P<currency>qp|q))?"
    )

    def known(function: Seen) -> Seen:
        CLAUSES.append((re.compile(whole), function))
        return function

    return known


async def difference(teller: Teller, words: str) -> str:
    """What is not as a clause says; empty when all is."""
    for pattern, seen in CLAUSES:
        if found := pattern.fullmatch(words):
            told = {name: value or "" for name, value in found.groupdict().items()}
            told["who"] = told.get("who") or teller.who
            is_so = str(await seen(teller, told))
            return "" if is_so == told["is"] else f"{words!r}: it is {is_so}"
    raise ValueError(f"nobody knows how to see this: {words!r}")


async def _account(teller: Teller, told: Found) -> Account:
    account, _ = await teller.till.ledger.reads.account(teller.members[told["who"]])
    return account


def _posting(teller: Teller) -> Posting:
    assert teller.posting is not None, "the step has no posting"
    return teller.posting


@clause(r"(?P<is>posted|replayed|superseded)")
async def _answer(teller: Teller, told: Found) -> str:
    return next(word for word, way in ANSWERS.items() if _posting(teller).outcome == way)


@clause(r"refused (?P<is>[A-Z_]+(?: \(\w+ [^)]*\))?)")
async def _refused(teller: Teller, told: Found) -> str:
    assert teller.refusal is not None, "nothing was refused"
    _, _, named = told["is"].partition(" (")
    fields = [each.split(" ")[0] for each in named.rstrip(")").split(", ")] if named else []
    shown = ", ".join(f"{name} {teller.refusal.fields[name]}" for name in fields)
    return teller.refusal.reason + (f" ({shown})" if shown else "")


@clause(r"(?P<is>[+-]\d+|0) QP")
async def _moved(teller: Teller, told: Found) -> str:
    """Points that a document, a claim or a hand gave or took, whatever they came from."""
    net = sum(
        GIVEN.get(each.kind, 0) * each.points
        for each in _posting(teller).movements
        if each.currency == (told["currency"] or "p")
    )
    return f"{net:+}" if net else "0"


@clause(r"WHO (?P<what>available|pending|held|arrears|in transit) (?P<is>\d+) QP")
async def _balance(teller: Teller, told: Found) -> int:
    balance = (await _account(teller, told)).balance(told["currency"] or "p")
    points: int = getattr(balance, told["what"].replace(" ", "_"))
    return points


@clause(r"WHO has (?P<is>\d+) qp")
async def _qualifying(teller: Teller, told: Found) -> int:
    return sum((await _account(teller, told)).qualifying.values())


@clause(r"WHO owes (?P<is>[ab] \d+(?:, [ab] \d+)*|nobody)")
async def _owed(teller: Teller, told: Found) -> str:
    debts: Counter[str] = Counter()
    for debt in (await _account(teller, told)).debts:
        debts[debt.business_unit] += debt.points
    return ", ".join(f"{unit} {points}" for unit, points in debts.items()) or "nobody"


@clause(r"draws (?P<is>\w+ \d+(?:, \w+ \d+)*)")
async def _drawn(teller: Teller, told: Found) -> str:
    drawing = [each for each in _posting(teller).movements if each.kind != "hold_released"]
    return ", ".join(
        f"{teller.lots[draw.lot_id]} {draw.points}" for each in drawing for draw in each.draws
    )


@clause(r"in turn (?P<is>[a-z ]+ \d+(?:, [a-z ]+ \d+)*)")
async def _in_turn(teller: Teller, told: Found) -> str:
    """What was recorded, with what time had decided before."""
    moved = _posting(teller).movements
    return ", ".join(f"{each.kind.replace('_', ' ')} {each.points}" for each in moved)


@clause(r"WHO left (?P<is>\w+ \d+(?:, \w+ \d+)*|nothing)")
async def _left(teller: Teller, told: Found) -> str:
    lots = (await _account(teller, told)).lots
    return ", ".join(f"{teller.lots[each.lot_id]} {each.left}" for each in lots) or "nothing"


@clause(r"WHO (?P<lot>\w+) is of (?P<is>[ab](?: until [\d-]+ [\d:]+)?)")
async def _ends(teller: Teller, told: Found) -> str:
    lots = (await _account(teller, told)).lots
    found = {
        (each.issuer, each.expires_at) for each in lots if teller.lots[each.lot_id] == told["lot"]
    }
    [(issuer, expires_at)] = found
    unit, _, until = told["is"].partition(" until ")
    same = expires_at == (at(iso(until)) if until else None)
    return told["is"] if (unit, True) == (issuer, same) else f"of {issuer} until {expires_at}"


@clause(r"WHO (?P<what>issued|clawed back|burned|expired|written off|repaid) (?P<is>\d+)")
async def _total(teller: Teller, told: Found) -> int:
    """Over the whole history, once what time has decided is recorded."""
    member = teller.members[told["who"]]
    await teller.till.post(teller.till.advance(member))
    account, _ = await teller.till.ledger.reads.account(member)
    async with teller.till.ledger.reading.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT payload FROM event WHERE stream = $1", f"account/{account.account_id}"
        )
    facts = [decode(each["payload"]) for each in rows]
    return sum(
        getattr(fact, "points", 0)
        for fact in facts
        if kind_of(fact) in TOTALS[told["what"]] and getattr(fact, "currency", "p") == "p"
    )


@clause(r"(?P<rule>[a-z]\w*) wanted (?P<is>\d+ and got \d+)")
async def _granted(teller: Teller, told: Found) -> str:
    [grant] = [each for each in _posting(teller).grants if each.rule == told["rule"]]
    return f"{grant.wanted} and got {grant.granted}"


@clause(r"WHO is (?P<is>basic|silver|gold)")
async def _tier(teller: Teller, told: Found) -> str:
    return (await teller.till.ledger.reads.tier(teller.members[told["who"]])).tier


@clause(r"late for (?P<is>\S+)")
async def _late(teller: Teller, told: Found) -> str:
    return ", ".join(_posting(teller).late_for)


@clause(
    r"(?P<issuer>[ab]) pays (?P<unit>[ab]) for (?P<is>-?\d+)"
    r"(?: in (?P<month>\d{4}-\d\d))?(?: about (?P<about>\d{4}-\d\d))?"
)
async def _settled(teller: Teller, told: Found) -> int:
    """Points of one unit that another took, net, once the read side has seen everything."""
    way = (told["issuer"], told["unit"])
    await follow_to_the_end(teller.till.ledger.reading.pool)
    if not told["month"]:
        async with teller.till.ledger.reading.pool.acquire() as connection:
            flows = (await settlement_matrix(connection)).value.flows
        return sum(each.points for each in flows if (each.issuer, each.business_unit) == way)
    asked = GetSettlementRequest(period=told["month"])
    answer = await SettlementReads(teller.till.ledger).settlement(asked, EVERYONE)
    assert sum(each.points[0].amount for each in answer.parties if each.points) == 0
    return sum(
        each.burned + each.reclaimed + each.converted
        for each in answer.flows
        if (each.issuer, each.business_unit, each.about_period) == (*way, told["about"])
    )
