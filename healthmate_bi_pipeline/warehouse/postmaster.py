"""Whether a server runs on a folder of data, told from what it wrote there; POSIX only."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Address:
    """Where a server listens: the folder of its socket, and the port that names the socket."""

    host: str
    port: int


@dataclass(frozen=True)
class Postmaster:
    """What ``postmaster.pid`` says.

    Attributes:
        process: the server, if the number there is really that of a server on these data.
        address: where it listens, or listened.
        is_ready: whether it takes connections.
    """

    process: psutil.Process | None
    address: Address | None
    is_ready: bool


def read_postmaster(data: Path) -> Postmaster:
    """What the server of a folder of data, or one that was killed, wrote of itself."""
    try:
        lines = [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        lines = []
    process = _server_process(data, int(lines[0])) if lines and lines[0].isdigit() else None
    address = Address(lines[4], int(lines[3])) if len(lines) > 4 and lines[4] else None
    return Postmaster(process, address, is_ready=len(lines) > 7 and lines[7] == "ready")


def is_alive(process: psutil.Process) -> bool:
    """Whether it is this very process that runs; one that nobody has waited for yet does not run."""
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def answers(address: Address) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(f"{address.host}/.s.PGSQL.{address.port}")
        except OSError:
            return False
        return True


def _server_process(data: Path, number: int) -> psutil.Process | None:
    """The process of this number if it is the server of these data, and no later process of that number."""
    with suppress(psutil.Error, OSError):
        process = psutil.Process(number)
        if process.name() == "postgres" and is_alive(process) and Path(process.cwd()) == data:
            return process
    return None
