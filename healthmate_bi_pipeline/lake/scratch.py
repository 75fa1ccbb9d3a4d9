"""Folders for what does not fit into memory: each belongs to one engine, and goes when its process is gone.

A killed process leaves its folder, which may be as large as the disk. Whoever lives holds a lock on a file in its own,
which dies with its process however that ends; so whoever comes next knows which folders nobody needs any more.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from healthmate_bi_pipeline.errors import telling_full_disk

PREFIX = "engine-"
_LOCK = "in-use"
_SECONDS_TO_BEGIN = 60
"""A folder without a lock file that is older than this was left by a process that was killed while it began."""


class ScratchFolder:
    """A new folder below the one for all, after those of dead processes have been swept.

    Attributes:
        path: where it lies.
    """

    def __init__(self, parent: Path) -> None:
        with telling_full_disk("the engine's scratch files", parent):
            parent.mkdir(parents=True, exist_ok=True)
            sweep(parent)
            self.path, self._lock = _made(parent)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def sweep(parent: Path) -> int:
    """Delete the folders of processes that are gone; how many there were."""
    swept = 0
    if sys.platform == "win32":  # there is no such lock
        return swept
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else sweeps it at this moment
            try:
                lock = (folder / _LOCK).open("r+")
            except FileNotFoundError:
                if time.time() - folder.stat().st_mtime > _SECONDS_TO_BEGIN:
                    shutil.rmtree(folder)
                    swept += 1
                continue
            with lock:
                if _is_locked_now(lock):
                    shutil.rmtree(folder)
                    swept += 1
    return swept


def _made(parent: Path) -> tuple[Path, IO[str]]:
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
        try:
            lock = (folder / _LOCK).open("a")
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        # Unless another one took it for a dead one's between these lines.
        if sys.platform == "win32" or (_is_locked_now(lock) and (folder / _LOCK).exists()):
            return folder, lock
        lock.close()


def _is_locked_now(file: IO[str]) -> bool:
    """Whether this process got the lock of a file."""
    import fcntl  # noqa: PLC0415 - POSIX only

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
