"""Tiers as they were held, one after the other: what stood beneath one, and what is for ever."""

from collections.abc import Iterator, Mapping, Sequence

from rules.standing import Span, Standing


def before(standing: Standing, ranks: Mapping[str, int]) -> Standing:
    """Give what stood before the tier in force, without what staff gave since.

    What is higher than a granted tier in force did not stand beneath that: it came over it, and is
    over.
    """
    *earlier, current = standing.spans
    rank = ranks.get(current.tier, 0) if current.basis == "granted" else len(ranks)
    own = [
        number
        for number, span in enumerate(earlier, 1)
        if span.basis != "granted" and ranks.get(span.tier, 0) <= rank
    ]
    return standing._replace(spans=earlier[: own[-1]] if own else ())


def for_ever(spans: Sequence[Span], ranks: Mapping[str, int]) -> Iterator[Span]:
    """Give the tiers that are held for ever.

    Nothing but a refund lets one end: whatever lower one was held by right of its own came after
    that. What staff give is no such right.
    """
    lowest = len(ranks)
    for span in reversed(spans):
        rank = ranks.get(span.tier)
        if rank is None:
            continue
        if span.basis == "lifetime" and rank <= lowest:
            yield span
        if span.basis != "granted":
            lowest = min(lowest, rank)
