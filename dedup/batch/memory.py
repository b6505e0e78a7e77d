"""How much memory a run may take, and how much this process has taken."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..config import Config

#: What Linux reports about this process; other systems have no such file.
STATUS = Path("/proc/self/status")


def memory_limit(config: Config) -> int:
    """Bytes that a run may take: the setting ``run.memory``, else half of the machine's memory."""
    if config.run.memory:
        return config.run.memory << 20
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    return 4 << 30


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes, or None if unknown."""
    # On Linux, ru_maxrss survives exec: a command started by a large program begins with the peak
    # of that program. VmHWM starts afresh with each program. (After a bare fork, as multiprocessing
    # may do it, both begin with the memory of the parent, which the child then shares.)
    try:
        status = STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        status = ""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM" and value.split()[1:] == ["kB"]:
            return int(value.split()[0]) << 10
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
