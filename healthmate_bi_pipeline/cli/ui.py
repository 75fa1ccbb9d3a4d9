"""``healthmate-bi ui``: Dagster's UI and daemon on this machine, over our instance."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from types import FrameType
from typing import Annotated

import typer

from healthmate_bi_pipeline.errors import UsageError

HOST = "127.0.0.1"
"""There is no login in the UI, so nobody else may reach it; a proxy has to bring one."""


def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 3000,
) -> None:
    """Start Dagster's UI and daemon.

    They see what `run` has made, and run until Ctrl-C.

    \b
    Examples:
      healthmate-bi ui
      healthmate-bi ui --port 3333
    """
    from healthmate_bi_pipeline.settings import load_settings

    settings = load_settings()
    _check_free(port)

    from healthmate_bi_pipeline.orchestration.instance import prepare_dagster_home

    folder = prepare_dagster_home(settings)
    environment = {**os.environ, "HEALTHMATE_HOME": str(settings.home_path), "DAGSTER_HOME": str(folder)}
    typer.echo(f"Dagster on http://{HOST}:{port} in some seconds; Ctrl-C stops it.")
    raise typer.Exit(_serve(_command(port), environment))


def _command(port: int) -> list[str]:
    return [
        # Dagster says at each start that it would rather be called as `dg dev`.
        *(sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster", "dev"),
        *("--module-name", "healthmate_bi_pipeline.definitions"),
        *("--host", HOST, "--port", str(port)),
        *("--log-level", "warning", "--code-server-log-level", "warning"),
    ]


def _serve(command: list[str], environment: dict[str, str]) -> int:
    """Run a program until it ends or somebody stops it; its exit code, 0 when it was stopped."""
    # A shell's background job is born ignoring Ctrl-C and would hand that down.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - a fixed command
    is_stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_stopped
        is_stopped = True
        process.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, stop)
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:  # the terminal has told the child too
            is_stopped = True
        else:
            return 0 if is_stopped else code


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UsageError(
                f"Port {port} of {HOST} is taken. Stop what uses it, or choose another with --port."
            ) from None
