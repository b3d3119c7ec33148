"""Runs a command by itself and says what it took."""

import os
import subprocess
import tempfile
import time


class Failed(Exception):
    """The command failed; the text is the last line that it wrote to standard error."""


def measure(command, environment=None):
    """Runs a command; returns wall and processor seconds, peak bytes and what it printed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=err, env={**os.environ, **(environment or {})})
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if status:
            lines = err.read().decode(errors="replace").strip().splitlines() or [f"exit status {child.returncode}"]
            raise Failed(lines[-1])
        return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read().decode()
