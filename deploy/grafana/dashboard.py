"""The Grafana dashboard as code: `python deploy/grafana/dashboard.py` writes dashboard.json anew.

Import dashboard.json into Grafana 10.1 or later and choose the Prometheus that scrapes the service.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

OUTPUT: Final = Path(__file__).with_name("dashboard.json")
SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
HERE: Final = 'job="loyalty", instance=~"$instance"'
FAILED: Final = 'code=~"UNAVAILABLE|INTERNAL|UNKNOWN|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED"'


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One panel: what it shows, how to read it, and its lines as (expression, legend)."""

    title: str
    meaning: str
    lines: tuple[tuple[str, str], ...]
    unit: str = "short"
    limit: float | None = None
    """From here on the panel is red; the alert rules hold the same figure."""


def rate(metric: str, *, by: str, where: str = "") -> str:
    """Expression for the rate per second of a counter of the chosen instances."""
    matchers = f"{HERE}, {where}" if where else HERE
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def quantile(metric: str, part: float, *, by: str) -> str:
    """Expression for a quantile of a histogram of the chosen instances."""
    return f"histogram_quantile({part}, {rate(f'{metric}_bucket', by=f'{by}, le')})"


NOW: Final = (
    Chart(
        title="Processes that serve",
        meaning="Processes that take requests; 0 means that nothing is recorded.",
        lines=((f"sum(loyalty_serving{{{HERE}}})", ""),),
    ),
    Chart(
        title="Calls per second",
        meaning="All calls, whatever their answer.",
        lines=((f"sum(rate(loyalty_grpc_handled_total{{{HERE}}}[$__rate_interval]))", ""),),
        unit="reqps",
    ),
    Chart(
        title="Failed by our own fault",
        meaning="Share of calls that failed although the caller did nothing wrong.",
        lines=(
            (
                f"(sum(rate(loyalty_grpc_handled_total{{{HERE}, {FAILED}}}[$__rate_interval]))"
                " or vector(0))"
                f" / sum(rate(loyalty_grpc_handled_total{{{HERE}}}[$__rate_interval]))",
                "",
            ),
        ),
        unit="percentunit",
        limit=0.01,
    ),
    Chart(
        title="Events recorded per second",
        meaning="Facts that became durable.",
        lines=((f"sum(rate(loyalty_events_appended_total{{{HERE}}}[$__rate_interval]))", ""),),
        unit="ops",
    ),
)

CALLS: Final = (
    Chart(
        title="Calls by method",
        meaning="What callers do.",
        lines=((rate("loyalty_grpc_handled_total", by="method"), "{{method}}"),),
        unit="reqps",
    ),
    Chart(
        title="Answers that are not OK",
        meaning="FAILED_PRECONDITION is the ledger's no; UNAVAILABLE and INTERNAL are our trouble.",
        lines=(
            (
                rate("loyalty_grpc_handled_total", by="code", where='code!="OK"'),
                "{{code}}",
            ),
        ),
        unit="reqps",
    ),
    Chart(
        title="Time to answer, p99 by method",
        meaning="From the call's arrival to its answer, the commit included.",
        lines=((quantile("loyalty_grpc_handling_seconds", 0.99, by="method"), "{{method}}"),),
        unit="s",
        limit=0.2,
    ),
    Chart(
        title="Time to answer, p50 by method",
        meaning="What most callers see.",
        lines=((quantile("loyalty_grpc_handling_seconds", 0.5, by="method"), "{{method}}"),),
        unit="s",
    ),
    Chart(
        title="Refusals by reason",
        meaning="docs/refusals.md says what each means and what the caller should do.",
        lines=((rate("loyalty_refusals_total", by="reason"), "{{reason}}"),),
        unit="ops",
    ),
    Chart(
        title="Replays",
        meaning="Requests answered with their first answer. Many of them: callers lose answers.",
        lines=((rate("loyalty_replays_total", by="instance"), "{{instance}}"),),
        unit="ops",
    ),
)

WRITER: Final = (
    Chart(
        title="Writes that wait",
        meaning="A queue that stays above a few hundred means that the database is the limit.",
        lines=((f"loyalty_queue_depth{{{HERE}}}", "{{instance}} {{queue}}"),),
        limit=3276,
    ),
    Chart(
        title="Commit time",
        meaning="From sending a batch to its acknowledgement: mostly the disk's fdatasync.",
        lines=(
            (quantile("loyalty_commit_seconds", 0.5, by="instance"), "p50 {{instance}}"),
            (quantile("loyalty_commit_seconds", 0.99, by="instance"), "p99 {{instance}}"),
        ),
        unit="s",
        limit=0.1,
    ),
    Chart(
        title="Commands in a batch",
        meaning="Rises with the load, so that one fdatasync is shared by more callers.",
        lines=(
            (
                f"{rate('loyalty_batch_commands_sum', by='instance')}"
                f" / {rate('loyalty_batch_commands_count', by='instance')}",
                "mean {{instance}}",
            ),
        ),
    ),
    Chart(
        title="Events per second by lane",
        meaning="Lanes grow alike; one that stands out is one very busy account.",
        lines=(
            (
                f"sum by (lane) (rate(loyalty_lane_position{{{HERE}}}[$__rate_interval]))",
                "{{lane}}",
            ),
        ),
        unit="ops",
    ),
)

READERS: Final = (
    Chart(
        title="Projections behind",
        meaning="Events that are recorded but not yet in the read side's tables.",
        lines=(
            (f"sum by (projection) (loyalty_projection_lag_events{{{HERE}}})", "{{projection}}"),
        ),
        limit=50_000,
    ),
    Chart(
        title="Clock against the database's",
        meaning="Half a second away the service stops writing by itself.",
        lines=((f"abs(loyalty_clock_skew_seconds{{{HERE}}})", "{{instance}}"),),
        unit="s",
        limit=0.1,
    ),
    Chart(
        title="Memory",
        meaning="Flat once the cache is full (LOYALTY_CACHE_ACCOUNTS).",
        lines=((f"process_resident_memory_bytes{{{HERE}}}", "{{instance}}"),),
        unit="bytes",
    ),
    Chart(
        title="CPU",
        meaning="One process uses at most one core for its event loop.",
        lines=((rate("process_cpu_seconds_total", by="instance"), "{{instance}}"),),
    ),
)


def dashboard() -> Dashboard:
    """The whole page: the present in four figures, then calls, writer and read side."""
    page = (
        Dashboard("Loyalty ledger")
        .uid("loyalty-ledger")
        .description("Made by deploy/grafana/dashboard.py; changes made in Grafana are lost.")
        .tags(["loyalty"])
        .time("now-3h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("instance")
            .label("Process")
            .datasource(SOURCE)
            .query('label_values(up{job="loyalty"}, instance)')
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(".*")
        )
    )
    for chart in NOW:
        page.with_panel(figure(chart))
    for title, charts in (("Calls", CALLS), ("Writer", WRITER), ("Read side", READERS)):
        page.with_row(Row(title))
        for chart in charts:
            page.with_panel(curves(chart))
    return page


def figure(chart: Chart) -> Stat:
    """A quarter of the width: the last value as a figure."""
    panel = Stat().title(chart.title).description(chart.meaning).unit(chart.unit)
    panel.datasource(SOURCE).height(4).span(6).thresholds(thresholds(chart))
    for query in queries(chart):
        panel.with_target(query)
    return panel


def curves(chart: Chart) -> TimeSeries:
    """Half of the width: the values over time, with their latest in the legend."""
    legend = VizLegendOptions().display_mode(LegendDisplayMode.TABLE).show_legend(True)
    legend.placement(LegendPlacement.RIGHT).calcs(["lastNotNull", "max"])
    panel = TimeSeries().title(chart.title).description(chart.meaning).unit(chart.unit)
    panel.datasource(SOURCE).height(8).span(12).min(0).legend(legend)
    panel.thresholds(thresholds(chart)).fill_opacity(10)
    for query in queries(chart):
        panel.with_target(query)
    return panel


def thresholds(chart: Chart) -> ThresholdsConfig:
    """Green, and red from the chart's limit on."""
    steps = [Threshold(value=None, color="green")]
    if chart.limit is not None:
        steps.append(Threshold(value=chart.limit, color="red"))
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def queries(chart: Chart) -> list[Dataquery]:
    """One query for each line, named A, B, …"""
    return [
        Dataquery().ref_id(chr(ord("A") + number)).expr(expression).legend_format(legend)
        for number, (expression, legend) in enumerate(chart.lines)
    ]


def rendered() -> str:
    """The dashboard as Grafana reads it."""
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard().build()) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(rendered(), encoding="utf-8")
