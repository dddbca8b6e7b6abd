"""How often Python looks for objects that only refer to each other."""

import gc
from typing import Final

SEARCH_AFTER: Final = (50_000, 20, 1_000)
"""Young objects before a search of them; searches before one of older ones; those before all."""


def search_seldom() -> None:
    """Set the pace of the collector for a process that serves a ledger, or folds its history.

    A batch makes thousands of objects that live until its commit, and the cache keeps millions, but
    hardly any of them form a cycle: reference counts free them. At its own pace Python would look
    through the batch every few documents, which is a fifth of the cost of a write, and now and then
    through the whole cache, while every caller waits. A replay keeps all accounts of a lane.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SEARCH_AFTER)
