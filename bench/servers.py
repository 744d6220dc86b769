"""Servers as `make run` starts them, each on a port of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from brainstem import config

WORKERS = 2


@dataclass
class Server:
    """A server that answers."""

    process: subprocess.Popen
    port: int

    def memory(self) -> float:
        """The resident memory of its largest worker, in mebibytes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        status = [Path(f"/proc/{each}/status").read_text() for each in children.split()]
        return max(int(re.search(r"VmRSS:\s+(\d+) kB", each)[1]) for each in status) / 1024


@contextmanager
def running(settings: str, app: str, **environment: str) -> Iterator[Server]:
    """A server with these gunicorn settings (a module) and this application, until the block ends."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("gunicorn"), "-c", f"python:{settings}", app],
        cwd=config.ROOT,
        env=os.environ | {"PORT": "0", "WEB_CONCURRENCY": str(WORKERS), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        found = re.search(r" at http://[^:]+:(\d+)", line)
        if not found:
            sys.exit(f"{app} did not start: {line or 'its messages stand above.'}")
        server = Server(process, int(found[1]))
        time.sleep(0.5)  # until the workers are there
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        process.stdout.close()
        process.wait(30)
