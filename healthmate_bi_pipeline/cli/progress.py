"""Progress: a bar in a terminal, plain lines elsewhere; on stderr, so that stdout holds only the answer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from healthmate_bi_pipeline.orchestration.watching import OnProgress, Step


@contextmanager
def shown_progress() -> Iterator[Callable[[str, float], None]]:
    """Something to tell what is being done and its share, 0 to 1."""
    if not sys.stderr.isatty():
        yield lambda what, share: None  # noqa: ARG005 - nobody looks
        return
    with _bar() as progress:
        task = progress.add_task("", total=1.0)
        yield lambda what, share: progress.update(task, description=what, completed=share)


@contextmanager
def shown_steps() -> Iterator[OnProgress]:
    """Something to tell the steps of a run: what is made leaves a line, what goes on is a bar."""
    if not sys.stderr.isatty():
        yield _write_line
        return
    with _bar() as progress:
        task = progress.add_task("looking for what is stale", total=1.0)

        def tell(step: Step) -> None:
            match step.kind:
                case "started" | "advanced":
                    progress.update(task, description=_title(step), completed=step.share)
                case "made":
                    progress.console.print(f"[green]✓[/] {_title(step)}  {step.rows:,} rows", highlight=False)
                    progress.update(task, description="looking for what is stale", completed=0.0)
                case "failed":
                    progress.console.print(f"[red]✗[/] {_title(step)}", highlight=False)

        yield tell


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _write_line(step: Step) -> None:
    if step.kind == "made":
        sys.stderr.write(f"made {_title(step)}: {step.rows} rows\n")
    elif step.kind == "failed":
        sys.stderr.write(f"failed {_title(step)}\n")
    sys.stderr.flush()


def _title(step: Step) -> str:
    return f"{step.asset} {step.window}" if step.window else step.asset
