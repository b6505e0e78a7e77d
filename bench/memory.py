"""How much memory this process holds or held."""

from __future__ import annotations

import resource
import sys
from pathlib import Path


def memory_bytes(field: str) -> int:
    """Memory of this process by Linux's count: ``VmHWM``, the most so far, or ``VmRSS``, now.

    ``ru_maxrss`` is not used where it can be helped: it begins with what the parent held when it started this program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith(field))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
