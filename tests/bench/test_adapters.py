"""The webhooks of the benchmark are what an adapter takes, and each is another one."""

from bench import adapters
from tests.adapters.rig import statement, translate


def test_the_order_is_of_usual_size_and_means_a_document() -> None:
    assert 5_000 < len(adapters.order()) < 10_000
    stated = statement(translate(adapters.MAPPING, adapters.order()))
    assert len(stated.document.lines) == adapters.LINES


def test_figures_are_for_one_webhook() -> None:
    told = {"count": 200.0, "rate": 100.0, "p50_ms": 1.0, "p99_ms": 9.0}
    sample = adapters.sample_of(told, 0.1)
    assert (sample.operations, sample.cpu_us["server"]) == (200, 500.0)
