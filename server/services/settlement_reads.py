"""ListPeriods and GetSettlement: what business units owe each other, month by month."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

import rules
from ledger.answers.periods import closed_message, open_message
from ledger.core.instant import Instant
from ledger.core.refusals import Malformed, NoPolicy, UnknownPeriod
from ledger.periods import Closed
from ledger.service import Ledger
from loyalty.v1 import audit_service_pb2 as pb
from loyalty.v1.events_pb2 import LaneCut
from loyalty.v1.types_pb2 import Money, Points
from projections.dated_draws import NAME
from projections.period_flows import Bounds, Calendar, Flow, first_draw, period_flows
from server.auth import Principal
from server.services.catching_up import catch_up

CATCH_UP_SECONDS: Final = 5.0


class _Key(NamedTuple):
    """What one line of a settlement is about."""

    currency: str
    issuer: str
    business_unit: str
    about: str
    money: str
    """ISO 4217 code of its price; empty without one."""


class _Line:
    """Points of one line, and what they cost exactly."""

    def __init__(self) -> None:
        self.burned = self.reclaimed = self.converted = 0
        self.exact = Fraction(0)

    @property
    def points(self) -> int:
        return self.burned + self.reclaimed + self.converted

    @property
    def paid(self) -> int:
        """Whole minor units, towards zero."""
        whole = abs(self.exact) // 1
        return whole if self.exact >= 0 else -whole


class SettlementReads:
    """Answers from the projection `dated_draws`, the closed periods, and the prices of policies."""

    def __init__(self, ledger: Ledger) -> None:
        """Read beside `ledger`."""
        self._ledger = ledger

    async def periods(self) -> pb.ListPeriodsResponse:
        """All periods that have begun: closed ones, then open ones. Raises NoPolicy."""
        closed = await self._closed()
        answer = pb.ListPeriodsResponse(periods=[closed_message(each) for each in closed])
        answer.periods.extend(open_message(month) for month in self._open(closed))
        return answer

    async def settlement(
        self, request: pb.GetSettlementRequest, principal: Principal
    ) -> pb.GetSettlementResponse:
        """A settlement. Raises Malformed, NoPolicy, UnknownPeriod, NotServing."""
        closed = await self._closed()
        message, bounds = self._bounds(request.period, closed)
        async with self._ledger.reading.pool.acquire() as connection:
            await catch_up(
                connection,
                NAME,
                dict(bounds.before or {}),
                seconds=CATCH_UP_SECONDS,
                late="the settlement is behind",
            )
            begin = await first_draw(connection)
            found = await period_flows(
                connection,
                bounds,
                self._calendar(begin, bounds.start),
                lanes=self._ledger.reading.lanes,
            )
        lines = self._lines(found.value)
        cuts = [LaneCut(lane=lane, next_pos=pos) for lane, pos in sorted(found.positions.items())]
        return pb.GetSettlementResponse(
            period=message,
            flows=[
                _flow(key, line)
                for key, line in sorted(lines.items())
                if principal.sees(key.issuer) or principal.sees(key.business_unit)
            ],
            parties=_parties(lines, self._residual(bounds), principal),
            positions=cuts,
        )

    async def _closed(self) -> Sequence[Closed]:
        await self._ledger.periods.refresh(self._ledger.reading)
        return self._ledger.periods.closed

    def _open(self, closed: Sequence[Closed]) -> list[rules.Month]:
        now = self._ledger.now()
        month = rules.month_at(self._zone, closed[-1].end if closed else now)
        months = [month]
        while months[-1].end <= now:
            months.append(rules.month_after(self._zone, months[-1]))
        return months if months[0].start <= now else []

    @property
    def _zone(self) -> str:
        return self._ledger.policies.at(self._ledger.now()).zone

    def _bounds(self, name: str, closed: Sequence[Closed]) -> tuple[pb.Period, Bounds]:
        """The period that is asked for: the first that is open, if none is named."""
        for number, each in enumerate(closed):
            if each.name == name:
                late_from = closed[number - 1].cut if number else {}
                return closed_message(each), Bounds(each.start, each.end, late_from, each.cut)
        last = closed[-1] if closed else None
        first = rules.month_at(self._zone, last.end if last else self._ledger.now())
        month = rules.month_named(self._zone, name) if name else first
        if month is None:
            raise Malformed(field="period", value=name, expected='a month, "2025-01"')
        is_first = last is not None and month.start == last.end
        if (last is not None and month.start < last.end) or month.start > self._ledger.now():
            raise UnknownPeriod(period=name)
        late = last.cut if last is not None and is_first else None
        return open_message(month), Bounds(month.start, month.end, late, None)

    def _calendar(self, begin: Instant | None, start: Instant) -> Calendar:
        months: list[tuple[Instant, str]] = []
        while begin is not None and begin < start:
            month = rules.month_at(self._zone, begin)
            months.append((month.start, month.name))
            begin = month.end
        return Calendar(months, self._ledger.policies.effective_times())

    def _lines(self, flows: Sequence[Flow]) -> dict[_Key, _Line]:
        times = self._ledger.policies.effective_times()
        lines: defaultdict[_Key, _Line] = defaultdict(_Line)
        for flow in flows:
            price = self._price(flow, times) if flow.issuer != flow.business_unit else None
            money = "" if price is None else price.currency_code
            key = _Key(flow.currency, flow.issuer, flow.business_unit, flow.about, money)
            line = lines[key]
            line.burned += flow.burned
            line.reclaimed += flow.reclaimed
            line.converted += flow.converted
            if price is not None:
                line.exact += price.minor * (flow.burned + flow.reclaimed + flow.converted)
        return {
            key: line
            for key, line in lines.items()
            if line.burned or line.reclaimed or line.converted
        }

    def _price(self, flow: Flow, times: Sequence[Instant]) -> rules.PricedIn | None:
        """The price of a flow's points, under the policy that says it."""

        def policy_under(number: int) -> rules.Policy:
            # What was earned before the first policy has the price of that.
            return self._ledger.policies.at(times[max(number, 1) - 1])

        policy = policy_under(flow.issued_under)
        if policy.model.settlement.priced == "burn":
            policy = policy_under(flow.taken_under)
        return rules.point_price(policy, issuer=flow.issuer, currency=flow.currency)

    def _residual(self, bounds: Bounds) -> str:
        at = min(self._ledger.now(), bounds.end - 1)
        try:
            return self._ledger.policies.at(at).model.settlement.residual
        except NoPolicy:
            return self._ledger.policies.at(self._ledger.now()).model.settlement.residual


def _flow(key: _Key, line: _Line) -> pb.SettlementFlow:
    flow = pb.SettlementFlow(
        currency=key.currency,
        issuer=key.issuer,
        business_unit=key.business_unit,
        about_period=key.about,
        burned=line.burned,
        reclaimed=line.reclaimed,
        converted=line.converted,
    )
    if key.money:
        flow.paid.CopyFrom(Money(currency_code=key.money, minor_units=line.paid))
        left = line.exact - line.paid
        flow.remainder = str(left) if left else ""
    return flow


def _parties(
    lines: dict[_Key, _Line], residual: str, principal: Principal
) -> list[pb.SettlementParty]:
    """What everybody receives, less what they pay."""
    points: Counter[tuple[str, str]] = Counter()
    amounts: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for key, line in lines.items():
        if key.issuer == key.business_unit:
            continue
        points[key.business_unit, key.currency] += line.points
        points[key.issuer, key.currency] -= line.points
        if key.money:
            amounts[key.business_unit, key.money] += line.paid
            amounts[key.issuer, key.money] -= line.exact
            amounts[residual, key.money] += line.exact - line.paid
    accounts = sorted({account for account, _ in (*points, *amounts)} - {residual})
    accounts = [account for account in accounts if principal.sees(account)]
    if any(amount for (account, _), amount in amounts.items() if account == residual):
        accounts.append(residual)
    return [
        pb.SettlementParty(
            account=account,
            points=[
                Points(currency=currency, amount=points[of, currency])
                for of, currency in sorted(points)
                if of == account
            ],
            amounts=[
                pb.SettlementAmount(currency_code=code, minor_units=str(amounts[of, code]))
                for of, code in sorted(amounts)
                if of == account
            ],
        )
        for account in accounts
    ]
