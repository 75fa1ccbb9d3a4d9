"""Noticing Ctrl-C whoever handles it.

While Dagster executes a run it takes the signal for itself and turns it into the failure of a step; native
code turns it into an error of its own. So Python is asked to write each signal that arrives into a socket
too, whatever its handler does.
"""

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STOPS = (signal.SIGINT, signal.SIGTERM)
_active: list["Interrupts"] = []


class Interrupts:
    """Whether somebody asked this process to stop."""

    def __init__(self, arrived: socket.socket | None) -> None:
        self._arrived = arrived
        self._have_happened = False

    @property
    def have_happened(self) -> bool:
        """Whether it was asked since the watch began."""
        if self._arrived is not None:
            with suppress(BlockingIOError):  # nothing has arrived
                self._have_happened |= any(number in _STOPS for number in self._arrived.recv(64))
        return self._have_happened

    def raise_if_any(self) -> None:
        """Stop here if it was asked.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self.have_happened:
            raise KeyboardInterrupt


@contextmanager
def watch_interrupts() -> Iterator[Interrupts]:
    """Notice interrupts for as long as the block lasts; an inner watch is the outer one.

    Only the main thread is told of signals; elsewhere nothing is ever noticed.
    """
    if _active:
        yield _active[-1]
        return
    if threading.current_thread() is not threading.main_thread():
        yield Interrupts(None)
        return
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)  # noqa: FBT003 - the socket's own signature
        writing.setblocking(False)  # noqa: FBT003
        before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        _active.append(Interrupts(reading))
        try:
            yield _active[-1]
        finally:
            _active.pop()
            signal.set_wakeup_fd(before)
