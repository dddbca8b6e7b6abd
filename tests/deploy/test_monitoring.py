"""Alerts and dashboard ask for metrics that the service has, and operators know what to do."""

import importlib.util
import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from adapters.frame.metrics import Metrics as AdapterMetrics
from server.config import Settings
from server.metrics import Metrics
from tests.deploy.files import DEPLOY, OPERATIONS, document, text

PROMETHEUS = DEPLOY / "prometheus"
GRAFANA = DEPLOY / "grafana"
RULES: list[dict[str, Any]] = [
    rule
    for group in document(PROMETHEUS / "loyalty.rules.yaml")["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
# Told by Prometheus itself, by the node exporter, by kube-state-metrics.
ELSEWHERE = re.compile(r"up|node_\w+|kube_\w+")
# A name before a brace or a range, unless a quoted value holds it.
METRIC = re.compile(r"\b([a-z_][a-z0-9_:]*)(?=[{\[])")
QUOTED = re.compile(r"\"[^\"]*\"")


def samples() -> set[str]:
    """Names that the registries of the service and of the adapters can answer with."""
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
    return {
        family.name + ending
        for registry in (Metrics().registry, AdapterMetrics().registry)
        for family in registry.collect()
        for ending in endings.get(family.type, [""])
    }


def unknown_metrics(expressions: list[str]) -> set[str]:
    """Metrics in PromQL that neither the service nor a recording rule makes."""
    named = {name for one in expressions for name in METRIC.findall(QUOTED.sub('""', one))}
    known = samples() | {rule["record"] for rule in RULES if "record" in rule}
    return {name for name in named - known if not ELSEWHERE.fullmatch(name)}


def panels() -> list[dict[str, Any]]:
    """Panels of the committed dashboard that ask for something."""
    found = json.loads(text(GRAFANA / "dashboard.json"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def test_rules_ask_only_for_metrics_that_exist() -> None:
    assert not unknown_metrics([rule["expr"] for rule in RULES])


def test_the_dashboard_asks_only_for_metrics_that_exist() -> None:
    assert panels()
    assert not unknown_metrics([query["expr"] for panel in panels() for query in panel["targets"]])


def test_a_metric_that_does_not_exist_would_be_found() -> None:
    assert unknown_metrics(['rate(loyalty_made_up_total{job="loyalty"}[5m])']) == {
        "loyalty_made_up_total"
    }


def test_every_alert_has_a_section_in_the_manual_and_points_to_it() -> None:
    sections = set(re.findall(r"^### (Loyalty\w+)$", text(OPERATIONS), re.MULTILINE))
    assert sections == set(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_alert_is_tested() -> None:
    tests = document(PROMETHEUS / "loyalty_test.yaml")["tests"]
    fired = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == set(ALERTS)


def test_the_queue_alert_stands_at_four_fifths_of_the_default() -> None:
    limit = Settings.model_fields["queue_max"].default * 4 // 5
    assert ALERTS["LoyaltyQueueNearlyFull"]["expr"].endswith(f"> {limit}")


def test_promtool_accepts_the_rules_and_their_tests() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool here; Debian's package prometheus has it")
    for arguments in (
        ("check", "config", "prometheus.yaml"),
        ("check", "rules", "loyalty.rules.yaml"),
        ("test", "rules", "loyalty_test.yaml"),
    ):
        subprocess.run([promtool, *arguments], cwd=PROMETHEUS, check=True, capture_output=True)


def test_the_committed_dashboard_is_what_its_code_makes() -> None:
    path = GRAFANA / "dashboard.py"
    spec = importlib.util.spec_from_file_location("dashboard", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.rendered() == text(GRAFANA / "dashboard.json")


def test_the_dashboards_limits_are_those_of_the_alerts() -> None:
    limits = {
        step["value"]
        for panel in panels()
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        if step["value"] is not None
    }
    alerting = {
        float(number)
        for rule in ALERTS.values()
        for number in re.findall(r"> ([\d.]+)$", rule["expr"])
    }
    assert limits <= alerting


def test_prometheus_reads_the_rules() -> None:
    config = yaml.safe_load(text(PROMETHEUS / "prometheus.yaml"))
    assert config["rule_files"] == ["loyalty.rules.yaml"]
