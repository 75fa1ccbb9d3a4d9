"""Other processes that use a warehouse, to be watched, waited for and killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

PREAMBLE = """
import sys, time
from datetime import date, datetime
from pathlib import Path
from sqlalchemy import text
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

def say(value):
    print(value, flush=True)

def wait():
    sys.stdin.readline()

"""


class OtherProcess:
    """A process that runs some lines of Python and talks by lines of text."""

    def __init__(self, code: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PREAMBLE + code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def hear(self) -> str:
        """The next line that it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return line.strip()

    def end(self) -> str:
        """Let it go on, and what else it says until it has ended by itself."""
        said, complaint = self._process.communicate("\n")
        assert self._process.returncode == 0, complaint
        assert complaint == ""
        return said.strip()

    def kill(self) -> None:
        """As a lack of memory or ``kill -9`` would."""
        self._process.kill()
        self._process.communicate()


def server_processes(folder: Path) -> list[psutil.Process]:
    """The servers that work in a folder of data, which may be gone."""
    found = []
    for process in psutil.process_iter(("name", "status", "ppid")):
        try:
            if process.info["name"] == "postgres" and process.status() != psutil.STATUS_ZOMBIE:
                works_here = process.cwd().removesuffix(" (deleted)") == str(folder / "data")
                parent = psutil.Process(process.info["ppid"]).name()
                if works_here and parent != "postgres":
                    found.append(process)
        except psutil.Error:
            continue
    return found
