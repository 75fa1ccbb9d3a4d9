from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from healthmate_bi_pipeline.orchestration.interrupts import watch_interrupts


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell starts what it runs in the background with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt_this_process() -> None:
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)  # another thread may have been given the signal; this one is told in a moment


def test_nothing_has_happened() -> None:
    with watch_interrupts() as interrupts:
        assert not interrupts.have_happened
        interrupts.raise_if_any()


def test_an_interrupt_that_somebody_swallows_is_noticed() -> None:
    with watch_interrupts() as interrupts:
        _interrupt_this_process()
        with watch_interrupts() as inner:
            assert inner.have_happened
        with pytest.raises(KeyboardInterrupt):
            interrupts.raise_if_any()


def test_each_watch_begins_anew_and_leaves_no_trace() -> None:
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    with watch_interrupts():
        _interrupt_this_process()
    with watch_interrupts() as interrupts:
        assert not interrupts.have_happened
    assert signal.set_wakeup_fd(before) == before


def test_other_threads_may_watch_in_vain() -> None:
    found: list[bool] = []

    def watch() -> None:
        with watch_interrupts() as interrupts:
            found.append(interrupts.have_happened)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert found == [False]
