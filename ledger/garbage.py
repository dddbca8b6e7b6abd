"""How often Python looks for objects that only refer to each other."""

import gc
from typing import Final

SEARCH_AFTER: Final = (100_000, 1_000_000, 1_000_000)
"""Young objects before a search of them; searches before one of older ones; those before all."""
WORTH_A_SEARCH: Final = 5_000
"""Young objects; to look through so many takes a few milliseconds."""


def search_seldom() -> None:
    """Set the pace of the collector for a process that serves a ledger, or folds its history.

    A batch makes thousands of objects that live until its commit, and the cache keeps millions, but
    none of them form a cycle: reference counts free them. (gRPC leaves two with every call, and a
    few more with one that is refused.) At its own pace Python would look through the batch every
    few documents, which is a fifth of the cost of a write, and now and then through the whole
    cache, while every caller waits. A replay keeps all accounts of a lane.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SEARCH_AFTER)


def search_young() -> None:
    """Look through what was made since the last search, once that is worth it.

    To be called where nothing is under way. What Python counts are objects made less objects freed,
    and an account that replaces another frees as many as it makes: left to itself it finds hundreds
    of thousands to look through when it begins, and tills wait a fifth of a second.
    """
    if gc.get_count()[0] > WORTH_A_SEARCH:
        gc.collect(0)
