"""An adapter process as an operator starts it, which a test may kill as the kernel would."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.adapters.rig import connection
from tests.server.served import Served

ROOT = Path(__file__).resolve().parents[2]


class AdapterProcess:
    """`loyalty adapter serve` over one mapping, at one address for as long as the test wants it."""

    def __init__(
        self, served: Served, folder: Path, mapping: str, secrets: Mapping[str, str]
    ) -> None:
        """Write what it reads; nothing is started yet."""
        self.name = connection(mapping).name
        for each in ("mappings", "secrets"):
            (folder / each).mkdir(exist_ok=True)
        (folder / "mappings" / f"{self.name}.yaml").write_text(mapping, encoding="utf-8")
        for secret, value in secrets.items():
            (folder / "secrets" / f"{self.name}.{secret}").write_text(value, encoding="utf-8")
        self._served = served
        self._folder = folder
        self._token = ""
        self._process: asyncio.subprocess.Process | None = None
        self.address = "127.0.0.1:0"

    async def start(self) -> None:
        """Start, and return when it serves."""
        if not self._token:
            self._token = await self._served.token(f"adapter-{self.name}")
        settings = {
            "LISTEN": self.address,
            "METRICS_LISTEN": "off",
            "MAPPINGS": str(self._folder / "mappings"),
            "SECRETS": str(self._folder / "secrets"),
            "DATABASE_URL": self._served.dsn,
            "LEDGER": self._served.address,
            "LOG_LEVEL": "error",
            "PULL": "off",
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from server.cli import app; app()",
            "adapter",
            "serve",
            cwd=ROOT,
            env={
                **os.environ,
                **{f"LOYALTY_ADAPTERS_{name}": value for name, value in settings.items()},
                "LOYALTY_TOKEN": self._token,
                "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            },
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 60)
        self.address = json.loads(line)["http"]

    async def kill(self) -> None:
        """As `kill -9`: no line of ours runs any more."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an operator stops it; its exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None or self._process.returncode is not None:
            return 0
        self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), 30)
