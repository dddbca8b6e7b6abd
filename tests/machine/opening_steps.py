"""Steps of opening balances: rows of an older programme's file, each as often as one likes."""

from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import rule

from ledger.core.instant import SECOND, to_timestamp
from loyalty.v1.ledger_service_pb2 import RecordOpeningRequest
from loyalty.v1.types_pb2 import OpeningLot, OpeningMetric, OpeningTier
from tests.machine.books import DAY
from tests.machine.ladder import FIRST_DAY
from tests.machine.real import BEGIN
from tests.machine.steps import Steps, members, points, units

lots = st.tuples(st.sampled_from(("p", "p", "q")), points, st.integers(1, 300), st.integers(-3, 40))
"""Currency, points, days since they were earned, and days until they end."""


class OpeningSteps(Steps):
    """Whatever a file of balances can say."""

    @rule(
        member=members,
        unit=units,
        told=st.lists(lots, max_size=2),
        status=st.sampled_from((0, 0, 40, 130)),
        nights=st.sampled_from((0, 0, 3, 6, 13)),
        year=st.sampled_from((2025, 2026)),
        tier=st.sampled_from((None, ("gold", -1), ("gold", 3), ("gold", 20), ("silver", 60))),
    )
    def take_over(
        self,
        member: str,
        unit: str,
        told: list[Any],
        status: int,
        nights: int,
        year: int,
        tier: tuple[str, int] | None,
    ) -> None:
        """A row that is new."""
        row = {
            "member": member, "unit": unit, "status": (year, status) if status else None,
            "nights": (year, nights) if nights else None,
            "lots": [
                (currency, number, self.now - since * DAY, self.now + until * DAY)
                for currency, number, since, until in told
            ],
            "tier": tier[0] if tier else "",
            "until": self.now + tier[1] * DAY if tier else None,
        }  # fmt: skip
        self._send_row(f"row{len(self.clerk.rows)}", row)

    @rule(number=st.integers(0, 9), more=st.sampled_from((0, 0, 1)))
    def take_over_again(self, number: int, more: int) -> None:
        """A row that was sent, as it was or with another date."""
        rows = list(self.clerk.rows)
        if not rows:
            return
        row = rows[number % len(rows)]
        told = self.clerk.rows[row]
        changed = [(*lot[:3], lot[3] + more) for lot in told["lots"]]
        self._send_row(row, {**told, "lots": changed})

    def _send_row(self, row: str, told: dict[str, Any]) -> None:
        # Who is erased is named by another word, which makes it another row.
        told = {**told, "by_card": told["member"] not in self.clerk.nameless}
        request = self.about(
            RecordOpeningRequest,
            told["unit"],
            member=self.ref(told["member"]),
            source="old",
            source_digest="0" * 64,
            row=row,
            lots=[self._lot(told["unit"], *lot) for lot in told["lots"]],
        )
        if told["status"]:
            year, number = told["status"]
            earned = (year - FIRST_DAY.year - 1) * DAY
            request.lots.append(self._lot(told["unit"], "s", number, earned, None, f"{year}"))
        if told["nights"]:
            year, number = told["nights"]
            metric = OpeningMetric(metric="nights", business_unit=told["unit"], amount=number)
            metric.window = f"{year}"
            request.metrics.append(metric)
        if told["until"] is not None:
            until = to_timestamp(BEGIN + told["until"] * SECOND)
            request.tier.CopyFrom(OpeningTier(tier=told["tier"], until_time=until))
        self.both(request, lambda _: self.clerk.take_over(row, told, self.now))

    def _lot(
        self, unit: str, currency: str, number: int, earned: int, ends: int | None, window: str = ""
    ) -> OpeningLot:
        return OpeningLot(
            currency=currency,
            points=number,
            business_unit=unit,
            earned_time=to_timestamp(BEGIN + earned * SECOND),
            expire_time=None if ends is None else to_timestamp(BEGIN + ends * SECOND),
            tier_window=window,
        )
