"""What load generators print is read right, and what cannot be read is an error."""

import pytest

from bench.h2load import LoadFailed, shape, told
from bench.pgbench import PgbenchFailed, _told

H2LOAD = """
finished in 2.00s, 1000.00 req/s, 204.21KB/s
requests: 2008 total, 2008 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx
"""
PGBENCH = """
number of transactions actually processed: 12345
latency average = 1.234 ms
tps = 6172.500000 (without initial connection time)
"""


def test_h2load_is_read_with_the_quantiles_of_its_log() -> None:
    log = "".join(f"170000000000000{n % 10}\t200\t{1000 * n}\n" for n in range(1, 101))
    load = told(H2LOAD, log, seconds=2.0)
    assert load == (2000, 1000.0, 51.0, 100.0)


@pytest.mark.parametrize(
    ("output", "log"), [("no such host", ""), (H2LOAD, ""), (H2LOAD, "17\t503\t20\n")]
)
def test_a_load_that_got_no_answers_fails(output: str, log: str) -> None:
    with pytest.raises(LoadFailed):
        told(output, log, seconds=2.0)


@pytest.mark.parametrize("callers", [1, 16, 64, 256])
def test_connections_times_streams_is_what_is_in_flight(callers: int) -> None:
    connections, each = shape(callers)
    assert connections * each == callers


def test_pgbench_is_read_with_the_quantiles_of_its_log() -> None:
    assert _told(PGBENCH, [1.0, 2.0, 9.0]) == (6172.5, 1.234, 2.0, 9.0, 12345)
    with pytest.raises(PgbenchFailed):
        _told("pgbench: error", [])
