"""What the figures were measured on, and how busy it was."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def description() -> str:
    """Return date, processor, cores, Python and the load of the last minute in one line."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = os.getloadavg()[0]
    return (
        f"{now}, {os.cpu_count()} x {_processor()}, Linux {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, load {load:.1f}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
