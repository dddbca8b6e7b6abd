"""A server in a thread beside callers that block, or beside a command.

    python -m tests.clients.beside COMMAND...

runs the command with LOYALTY_SERVER and LOYALTY_TOKEN set to a fresh ledger that has a policy, and
exits as it does. CI tries the built clients with it.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loyalty.v1.programme_service_pb2 import PublishPolicyRequest
from loyalty_client import Client, Connection
from server import logs
from server.database import migrate
from server.embedded import Lease
from tests.database_fixtures import blocking
from tests.server.served import POLICY, Served, serving


@contextmanager
def beside(dsn: str, folder: Path, **changes: Any) -> Iterator[Served]:
    """A server over a migrated database, in a thread with a loop of its own; drained at the end."""
    started: list[Served] = []
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        try:
            async with serving(dsn, folder, **changes) as served:
                started.append(served)
                ready.set()
                await asyncio.to_thread(over.wait)
        finally:
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield started[0]
    finally:
        over.set()
        thread.join()


def publish(served: Served, token: str) -> None:
    """Publish the policy of the tests."""
    with Client(Connection(served.address, token)) as client:
        client.publish_policy(
            PublishPolicyRequest(
                request_id="p-1", document=POLICY.read_text("utf-8"), allow_retroactive=True
            )
        )


def main(command: list[str]) -> int:
    """Run the command beside a fresh ledger; its exit code."""
    logs.configure("warning")
    folder = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
    folder.chmod(0o711)
    lease = Lease(folder / "data", parameters={"shared_buffers": "64MB"})
    try:
        dsn = lease.open()
        blocking(migrate(dsn))
        with beside(dsn, folder) as served:
            token = blocking(served.token("example"))
            publish(served, token)
            known = {"LOYALTY_SERVER": served.address, "LOYALTY_TOKEN": token}
            return subprocess.run(command, env={**os.environ, **known}, check=False).returncode
    finally:
        lease.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
