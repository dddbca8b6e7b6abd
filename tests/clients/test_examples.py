"""The examples run as they stand, each as a process of its own against a real ledger."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest

from loyalty.v1.ledger_service_pb2 import BurnPointsResponse, Posting
from loyalty_client import Connection
from tests.clients.scripted import failed, scripted

ROOT = Path(__file__).resolve().parents[2]
PYTHON_EXAMPLES = ROOT / "clients" / "python" / "examples"
NODE = ROOT / "clients" / "node"


def run(command: Sequence[str | Path], connection: Connection) -> str:
    """What an example prints, once it has ended well."""
    known = {
        "LOYALTY_SERVER": connection.target,
        "LOYALTY_TOKEN": str(connection.token),
        "PYTHONPATH": ":".join(sys.path),
    }
    ended = subprocess.run(
        command, env={**os.environ, **known}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "pos.py",
            [
                "sold for 300.00, 400 points earned",
                "200 points taken, 50 left, 2 waiting",
                "no: 100 points are more than the 50 left of the allowance",
                "the line is back: 3 posted, 0 refused",
                "the member has 240 points, 0 of them held",
            ],
        ),
        ("web_shop.py", ["There are not enough points.", "told twice: OUTCOME_REPLAYED"]),
        (
            "pms.py",
            [
                "booked twice: 0 available, 2400 pending, 0 held",
                "one booking cancelled: 0 available, 1200 pending, 0 held",
                "checked out: 1200 available, 0 pending, 0 held",
                "1,000 points set aside: 200 available, 0 pending, 1000 held",
                "the rest given back: 800 available, 0 pending, 0 held",
            ],
        ),
    ],
)
def test_a_python_example_runs(name: str, told: list[str], connection: Connection) -> None:
    printed = run([sys.executable, PYTHON_EXAMPLES / name], connection)
    for line in told:
        assert line in printed, printed


def test_every_python_example_is_run() -> None:
    present = {path.name for path in PYTHON_EXAMPLES.glob("*.py")}
    assert present == {"pms.py", "pos.py", "web_shop.py"}


@pytest.fixture
def node() -> str:
    """The program, with the modules of the example."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no Node here; the example in clients/node is not run")
    if not (NODE / "node_modules").is_dir():
        pytest.skip("run `npm ci` in clients/node to run its example")
    return found


def test_the_example_in_node_runs(node: str, connection: Connection) -> None:
    printed = run([node, NODE / "example.mjs"], connection)
    for line in (
        "order: OUTCOME_POSTED",
        "burn: OUTCOME_POSTED, sent again: OUTCOME_REPLAYED",
        "account: 80 points",
        'refused: INSUFFICIENT_POINTS {"',
        '"requested":"9999"',
        "There are not enough points. / 积分不足。",
    ):
        assert line in printed, printed


RETRYING = """
import { connect } from '%s/ledger.mjs';
const ledger = connect({ server: process.env.LOYALTY_SERVER, token: 'loy_x' });
const { posting } = await ledger.ledger.BurnPoints({ request_id: 'r-1' });
console.log(posting.entry_id);
ledger.close();
"""


def test_the_client_in_node_retries_by_the_file_that_ships(node: str, tmp_path: Path) -> None:
    busy = failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", wait_ms=10, limit="1")
    done = BurnPointsResponse(posting=Posting(entry_id="e-1"))
    script = tmp_path / "retrying.mjs"
    script.write_text(RETRYING % NODE.as_uri(), "utf-8")
    with scripted(failed(grpc.StatusCode.UNAVAILABLE), busy, done) as server:
        printed = run([node, script], Connection(server.address, "loy_x"))
    assert printed.strip() == "e-1"
    assert [request.request_id for request in server.seen] == ["r-1"] * 3


def test_the_lock_of_the_example_in_node_names_no_place_to_get_its_modules() -> None:
    lock = json.loads((NODE / "package-lock.json").read_text("utf-8"))
    assert lock["packages"]
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name
