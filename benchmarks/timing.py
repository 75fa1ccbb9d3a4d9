"""How long something takes, and work in a process of its own."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def timed(work: Callable[[], Any]) -> float:
    """The seconds that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def apart(work: Callable[..., None], *arguments: Any) -> None:
    """Do some work in a process of its own, so that its memory is its own; end with it when it fails."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def other_process() -> ProcessPoolExecutor:
    """Where work is done whose memory is not counted."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
