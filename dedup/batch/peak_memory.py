"""The most memory that this process has held.

``ru_maxrss`` will not do on Linux: it goes on through ``exec``, so that a command that is started by a large program begins with
what that program held. ``VmHWM`` begins anew with each program. (After a bare ``fork``, as ``multiprocessing`` may do it, both begin with
what the parent held, which the child then shares.)
"""

from __future__ import annotations

import sys
from pathlib import Path

#: Where Linux tells of this process; there is no such file elsewhere.
STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """The most bytes of memory that this program has held since it was started; None where the system does not tell."""
    try:
        told = STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        told = ""
    for line in told.splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM" and value.split()[1:] == ["kB"]:
            return int(value.split()[0]) << 10
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
