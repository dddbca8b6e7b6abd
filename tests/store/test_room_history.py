"""Long random histories of documents that share room: they verify and overshoot nothing."""

from collections import Counter
from random import Random

import pytest

from ledger.core.instant import DAY
from ledger.core.refusals import ClawbackRefused, InsufficientPoints, Refusal
from ledger.replay import replay
from loyalty.v1.ledger_service_pb2 import BurnPointsRequest, PostDocumentRequest
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_PENDING, MemberRef
from server.database import connect
from tests.store.test_room import budget_used, last_word
from tests.store.till import Till, open_till

POLICY = """
schema: loyalty.policy/v1
programme: test
version: 1
effective_from: 2020-01-01T00:00:00Z
zone: Asia/Shanghai
currencies: [{id: p, role: spendable}, {id: q, role: tier_qualifying}]
business_units:
  - {id: a, zone: Asia/Shanghai, currency: EUR, point_value: "0.01"}
  - {id: b, zone: Europe/Berlin, currency: EUR, point_value: "0.01"}
categories: [food, {id: gift_card, earns: false}]
benefits: [{id: coffee, kind: coupon}]
groups: [{id: g, combine: add_excess}]
counters:
  - {id: visit, period: local_month, distinct: local_day}
  - {id: days, kind: streak, period: local_day, missed_allowed: 1}
campaigns:
  - {id: k, holdout: "0.2", budgets: [{currency: p, points: 400, window: local_week}]}
caps: [{id: all, currency: p, window: local_month, points: 900}]
earn:
  - {kind: base, id: base, currency: p, rate: {points: 1, per: "1.00"},
     caps: [{window: local_day, points: 150}]}
  - {kind: base, id: status, currency: q, rate: {points: 1, per: "1.00"}}
  - {kind: multiplier, id: twice, currency: p, factor: 2, group: g, campaign: k}
  - {kind: bonus, id: welcome, currency: p, points: 50, when: {first_purchase: true}}
  - {kind: bonus, id: third, currency: p, points: 30,
     when: {counter: [{counter: visit, every: 3}], basket_min: "20.00"}}
  - {kind: bonus, id: run, currency: p, points: 7, when: {counter: [{counter: days, at_least: 3}]}}
  - {kind: grant, id: coffee, benefit: coffee, when: {basket_min: "100.00"}}
tiers:
  upgrading_order: after
  ladder:
    - {id: basic}
    - {id: gold, reach_any: [[{metric: spend, money: EUR, at_least: 60000}],
                             [{metric: visits, at_least: 12}]]}
redemptions: [{id: pay, currency: p}]
"""


class Crowd:
    """Members who buy, book, return and come back, in any order."""

    def __init__(self, till: Till, seed: int) -> None:
        self.till = till
        self.random = Random(seed)
        self.members: list[MemberRef] = []
        self._documents: list[PostDocumentRequest] = []
        self._versions: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    async def lives(self, rounds: int) -> None:
        """So many rounds of a few acts, some days apart."""
        self.members = [await self.till.enrol(f"card-{number}") for number in range(5)]
        for _ in range(rounds):
            acts = [self._act() for _ in range(8)]
            for answer in await self.till.ledger.write_batch(acts, client="crowd"):
                if isinstance(answer, Refusal):
                    self.refused[answer.reason] += 1
            self.till.clock.set(self.till.clock.now() + self.random.randint(0, 2) * DAY // 2 + 1)

    def _act(self) -> PostDocumentRequest | BurnPointsRequest:
        if self.random.random() < 0.15:
            return self.till.burn(self.random.choice(self.members), self.random.randint(1, 200))
        if self._documents and self.random.random() < 0.4:
            return self._changed(self.random.choice(self._documents[-30:]))
        amounts = [self.random.randint(1, 9000) for _ in range(self.random.randint(1, 3))]
        unit = self.random.choice("ab")
        name = f"D{len(self._documents)}"
        sale = self.till.document(self.random.choice(self.members), name, 1, *amounts, unit=unit)
        if self.random.random() < 0.2:
            sale.document.status = DOCUMENT_STATUS_PENDING
        self._documents.append(sale)
        return sale

    def _changed(self, before: PostDocumentRequest) -> PostDocumentRequest:
        document_id = before.document.document_id
        self._versions[document_id] += 1
        left = [self.random.randint(0, 9000) for _ in range(self.random.randint(0, 2))]
        return self.till.document(
            before.member,
            document_id,
            1 + self._versions[document_id],
            *left,
            unit=before.origin.business_unit,
        )


@pytest.mark.parametrize(
    ("seed", "refunds"),
    [
        (1, "{}"),
        (2, "{clawback: pro_rata_by_line, limits: [{points: 40}]}"),
        (3, "{when_spent: refuse, reach: own_lot, tier: keep}"),
    ],
)
async def test_a_history_full_of_limits_verifies_and_replays(
    database: str, seed: int, refunds: str
) -> None:
    async with open_till(database, now="2025-03-27T09:00") as till:
        await till.publish(POLICY + f"refunds: {refunds}\n")
        crowd = Crowd(till, seed)
        await crowd.lives(40)
        assert set(crowd.refused) <= {ClawbackRefused.reason, InsufficientPoints.reason}
        last = await last_word(till)
        assert list(last.divergences) == []
        assert last.awards_checked > 200
        used = await budget_used(database)
        assert 400 in used
        assert max(used) == 400
        assert min(used) >= 0
        connection = await connect(database)
        try:
            again = await replay(connection)
        finally:
            await connection.close()
        assert again.state_digest == last.state_digest
        for member in crowd.members:
            account, _ = await till.ledger.reads.account(member)
            for (name, _, period), points in account.usage.items():
                if name.startswith("cap/"):
                    assert 0 <= points <= (900 if len(period) == len("2025-03") else 150)
