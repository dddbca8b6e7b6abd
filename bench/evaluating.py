"""What thirty rules cost: python -m bench.evaluating '{"documents": 500000}'.

The yardstick is a bare Python loop over the same lines: it multiplies each amount with a rate it
finds by the category, adds up and divides, and knows nothing else.
"""

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, perf_counter_ns
from typing import Final

from bench.thirty_rules import baskets, history, policy_text
from rules import DocumentFacts, MemberFacts, Policy, check, compile_policy, evaluate, load
from rules.sets import SetEngine

BASKETS: Final = 2_000
CHUNK: Final = 250_000
_KIB: Final = 1024
_RATES: Final = {f"aisle-{number}": number + 1 for number in range(8)}


def bare(document: DocumentFacts) -> int:
    """The least that any evaluation does."""
    total = 0
    for line in document.lines:
        total += line.net_minor * _RATES.get(line.category, 1)
    return total // 100


def timed(documents: Sequence[DocumentFacts], work: Callable[[DocumentFacts], object]) -> list[int]:
    """Nanoseconds of each call, sorted; what is remembered is warm."""
    for document in documents:
        work(document)
    spent: list[int] = []
    for document in documents:
        began = perf_counter_ns()
        work(document)
        spent.append(perf_counter_ns() - began)
    return sorted(spent)


def rows(policy: Policy, lines: int) -> dict[str, float]:
    """Microseconds of one evaluation, and of the bare loop over the same lines."""
    documents, member = baskets(BASKETS, lines=lines), MemberFacts(tier="gold", member_id="m")
    spent = timed(documents, lambda document: evaluate(policy, document, member))
    loop = timed(documents, bare)
    return {
        f"rows_{lines}_p50": spent[len(spent) // 2] / 1000,
        f"rows_{lines}_p99": spent[len(spent) * 99 // 100] / 1000,
        f"bare_{lines}_p50": loop[len(loop) // 2] / 1000,
    }


def compiling() -> dict[str, float]:
    """Milliseconds to check the document and to compile it."""
    text, checks, compiles = policy_text(), [], []
    for _ in range(5):
        document = load(text)
        began = perf_counter()
        check(document)
        middle = perf_counter()
        compile_policy(document)
        checks.append(middle - began)
        compiles.append(perf_counter() - middle)
    # Compiling checks too: what publishing pays is both, what a process pays at start is one.
    check_ms = 1000 * statistics.median(checks)
    return {"check": check_ms, "compile": 1000 * statistics.median(compiles) - check_ms}


def sets(policy: Policy, count: int) -> dict[str, float]:
    """Documents a second of the set engine over three lines each, chunk after chunk."""
    frame = history(count, lines=3)
    # The plans of lines are made once, however long the history is.
    SetEngine(policy).evaluate(frame.head(CHUNK))
    engine, grants = SetEngine(policy), 0
    before, began = getrusage(RUSAGE_SELF), perf_counter()
    with ThreadPoolExecutor(max_workers=1) as beside:
        waiting = beside.submit(engine.prepare, frame[:CHUNK])
        for begin in range(CHUNK, count + CHUNK, CHUNK):
            ready = waiting.result()
            waiting = beside.submit(engine.prepare, frame[begin : begin + CHUNK])
            grants += engine.evaluate(ready).grants.height
    seconds, after = perf_counter() - began, getrusage(RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "documents": count,
        "grants": grants,
        "sets": count / seconds,
        "sets_cpu_us": 1e6 * used / count,
        "peak_mib": after.ru_maxrss / _KIB,
    }


def main(arguments: Sequence[str]) -> None:
    """Run the process; one line of JSON tells what was seen."""
    policy = compile_policy(load(policy_text()))
    told = compiling() | rows(policy, 3) | rows(policy, 20)
    told |= sets(policy, int(json.loads(arguments[0])["documents"]))
    told["bare"] = 1e6 / told["bare_3_p50"]
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
