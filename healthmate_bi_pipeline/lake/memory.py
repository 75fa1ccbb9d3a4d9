"""How much memory the engine may hold on this machine, or in this container."""

from __future__ import annotations

from pathlib import Path

import psutil

SHARE = 4
"""Of the memory of the machine every such part may be one engine's: two runs at once, and their processes beside them."""
MOST_BYTES = 1_200_000_000
"""More makes hardly anything faster: what does not fit is made in parts."""

_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def default_memory_limit() -> str:
    """The limit where none is set, as DuckDB reads it."""
    return f"{min(machine_memory() // SHARE, MOST_BYTES) // 1_000_000}MB"


def machine_memory(limits: tuple[Path, ...] = _CONTAINER_LIMITS) -> int:
    """Bytes of memory that this process can have: the machine's, or the container's limit where it is lower.

    Args:
        limits: the files that say what a container may have, of cgroups 2 and 1.
    """
    known = [int(psutil.virtual_memory().total)]
    for file in limits:
        try:
            known.append(int(file.read_text()))
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return min(known)
