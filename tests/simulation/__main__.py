"""Simulate worlds until enough steps were taken: `python -m tests.simulation --steps 2000000`."""

import argparse
import logging
import sys
from time import monotonic

import structlog

from tests.simulation.run import simulate


def main() -> int:
    """Run worlds one after the other; the exit code is 1 when one of them was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000_000, help="steps in all worlds together")
    parser.add_argument("--world", type=int, default=10_000, help="steps of one world")
    parser.add_argument("--seed", type=int, default=None, help="run the world of this seed alone")
    parser.add_argument("--first", type=int, default=1_000, help="seed of the first world")
    wanted = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if wanted.seed is not None:
        print(simulate(wanted.seed, steps=wanted.world))
        return 0
    began, done, seed = monotonic(), 0, wanted.first
    while done < wanted.steps:
        outcome = simulate(seed, steps=min(wanted.world, wanted.steps - done))
        done += outcome.steps
        rate = done / (monotonic() - began)
        print(
            f"seed {seed}: {outcome.events:,} events, {outcome.deaths} deaths;"
            f" {done:,} of {wanted.steps:,} steps, {rate:,.0f} a second",
            flush=True,
        )
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
