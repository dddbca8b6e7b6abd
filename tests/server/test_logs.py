"""Logs: one JSON line an event, and a log that cannot be written stops nobody."""

import io
import json
import sys

import pytest
import structlog

from server import logs


def test_a_line_goes_to_stderr_as_it_is_when_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs.configure("info")
    log = structlog.get_logger()
    log.info("before")
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    log.info("after", token="secret", number=1)
    written = json.loads(later.getvalue())
    assert (written["event"], written["token"], written["number"]) == ("after", "(hidden)", 1)


def test_a_log_that_nobody_reads_any_more_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure("info")
    gone = io.StringIO()
    gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    structlog.get_logger().error("nobody_reads_this")
