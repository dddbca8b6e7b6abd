"""Who a purchase belongs to where the file does not say: made up by hash, the same on every run."""

from collections.abc import Iterable, Sequence
from typing import Final

from server.demo.sources import seeded

ORDER_PERCENT: Final = 55
STAY_PERCENT: Final = 10
CUSTOMER_PERCENT: Final = 60


class Members:
    """The members of the group, known by the numbers of the supermarket's households."""

    def __init__(self, numbers: Iterable[int]) -> None:
        """Take the numbers; their order does not matter."""
        self.numbers: Sequence[int] = sorted(set(numbers))

    def of_visit(self, unit: str, document_id: str, *, percent: int) -> int | None:
        """Member behind a visit, for `percent` of the visits; None for a guest nobody knows."""
        if not self.numbers or seeded(unit, "known", document_id) % 100 >= percent:
            return None
        return self.numbers[seeded(unit, "who", document_id) % len(self.numbers)]

    def of_customers(self, customers: Iterable[str]) -> dict[str, int]:
        """Pair customers of the web shop with members, one to one, both in order of hash.

        At most CUSTOMER_PERCENT of the members get a customer; the other customers none.
        """
        ranked = sorted(self.numbers, key=lambda number: seeded("web", "member", number))
        chosen = ranked[: len(ranked) * CUSTOMER_PERCENT // 100]
        shoppers = sorted(set(customers), key=lambda customer: seeded("web", "customer", customer))
        return dict(zip(shoppers, chosen, strict=False))
