"""Steps of points that go elsewhere: transfers, one step at a time, and conversions."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, multiple, rule

from loyalty.v1.ledger_service_pb2 import (
    AcceptTransferRequest,
    CancelTransferRequest,
    ContinueTransferRequest,
    ConvertPointsRequest,
    DeclineTransferRequest,
    ReverseEntryRequest,
    TransferPointsRequest,
)
from tests.machine.journeys import CONVERSIONS
from tests.machine.real import posting
from tests.machine.steps import MEMBERS, Steps, amount, fitting, members, points, units

transfers: Bundle[str] = Bundle("transfers")
parties = st.sampled_from((*MEMBERS, "pool1", "pool2"))
DECISIONS = (AcceptTransferRequest, DeclineTransferRequest, CancelTransferRequest)


class JourneySteps(Steps):
    """Whatever makes points go elsewhere."""

    @rule(
        target=transfers,
        sender=st.one_of(members, parties),
        receiver=st.one_of(members, parties),
        currency=st.sampled_from(("p", "p", "p", "q")),
        number=points,
        fits=fitting,
        unit=units,
        bring_on=st.sampled_from((True, True, False)),
    )
    def send(
        self, sender: str, receiver: str, currency: str, number: int, fits: bool, unit: str,
        bring_on: bool,
    ) -> Any:  # fmt: skip
        """Points leave for another member; normally the next steps follow at once."""
        pools = self.pools.keys()
        if sender == receiver or {sender, receiver} <= pools:
            return multiple()
        if not {sender, receiver} <= pools | set(MEMBERS):
            # There is no such pool yet.
            return multiple()
        number = self.within(sender, currency, min(number, 150), fits=fits, step=5)
        if sender in pools and len(self._put_in_by(sender, receiver, currency, number)) > 1:
            # Either would do.
            return multiple()
        return self.sent(sender, receiver, currency, number, unit, bring_on=bring_on)

    def _put_in_by(self, pool: str, member: str, currency: str, number: int) -> list[str]:
        """Who of those who became part of a member put so many points into a pool."""
        found = self.clerk.who_put_in(pool, member, currency, number)
        return [] if found[:1] == [self.clerk.place(member)] else found

    def sent(
        self, sender: str, receiver: str, currency: str, number: int, unit: str, *, bring_on: bool
    ) -> Any:
        """Send points; the transfer, if it was not refused."""
        request = self.about(
            TransferPointsRequest,
            unit,
            member=self.party(sender),
            receiver=self.party(receiver),
            points=amount(currency, number),
        )
        answer = self.both(
            request,
            lambda made: self.clerk.send(made, sender, receiver, currency, number, unit, self.now),
        )
        if answer is None:
            return multiple()
        transfer = posting(answer).entry_id
        if bring_on:
            self.bring_on(transfer)
        return transfer

    def bring_on(self, transfer: str) -> None:
        """Take all steps that nobody has to be asked about."""
        while self._continued(transfer):
            pass

    def _continued(self, transfer: str) -> bool:
        """Take the next step, if there is one."""
        request = self.about(ContinueTransferRequest, "a", transfer_id=transfer)
        return self.both(request, lambda _: self.clerk.carry_on(transfer, self.now)) is not None

    @rule(transfer=transfers)
    def carry_on(self, transfer: str) -> None:
        """The next step is taken that nobody has to be asked about."""
        self._continued(transfer)

    @rule(
        transfer=transfers,
        kind=st.sampled_from(
            (AcceptTransferRequest, DeclineTransferRequest, CancelTransferRequest)
        ),
        stranger=st.sampled_from(("", "", "", "", "ann", "bob", "cat")),
    )
    def decide(self, transfer: str, kind: type[Any], stranger: str) -> None:
        """Who receives takes the points or not, or who sent them wants them back."""
        known = self.clerk.transfers[transfer]
        side = "sender" if kind is CancelTransferRequest else "receiver"
        member = stranger or known[side]
        if member in self.pools:
            # A pool decides nothing.
            return
        work = {
            AcceptTransferRequest: self.clerk.accept,
            DeclineTransferRequest: self.clerk.decline,
            CancelTransferRequest: self.clerk.cancel,
        }[kind]
        request = self.about(kind, "a", member=self.ref(member), transfer_id=transfer)
        self.both(request, lambda _: work(transfer, member, self.now))

    @rule(number=st.integers(0, 9))
    def reverse_fee(self, number: int) -> None:
        """Somebody tries to take back a fee alone."""
        fees = list(self.clerk.fees.items())
        if fees:
            entry, unit = fees[number % len(fees)]
            request = self.about(ReverseEntryRequest, unit, entry_id=entry)
            self.both(request, lambda made: self.clerk.reverse(made, entry, 0, self.now))

    @rule(
        member=members,
        conversion=st.sampled_from(tuple(CONVERSIONS)),
        number=points,
        fits=fitting,
        unit=units,
    )
    def convert(self, member: str, conversion: str, number: int, fits: bool, unit: str) -> None:
        """Points become points of another currency."""
        number = self.within(member, CONVERSIONS[conversion]["from"], min(number, 90), fits=fits)
        request = self.about(
            ConvertPointsRequest,
            unit,
            member=self.ref(member),
            conversion=conversion,
            points=number,
        )
        self.both(
            request, lambda made: self.clerk.convert(made, member, conversion, number, self.now)
        )
