"""What reference counts do not free: objects that only refer to each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OURS = ("ledger.", "loyalty.", "server.")


@contextmanager
def cycles() -> Iterator[list[str]]:
    """Names of the classes of our objects that only the collector would have freed."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.garbage)
        found += sorted({name for name in names if name.startswith(OURS)})
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
