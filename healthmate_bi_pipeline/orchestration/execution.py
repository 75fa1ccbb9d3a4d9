"""Executing some assets over a window in this process, recorded in the instance like any other run."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import dagster as dg
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import HealthMateError, LostServerError
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.orchestration.failures import MOST_TRIES
from healthmate_bi_pipeline.orchestration.partitions import range_tags
from healthmate_bi_pipeline.orchestration.watching import RUN

NOT_REPEATED = {"dagster/max_retries": "0"}
"""A part of a refresh, or of a command's run, is repeated by what started it and not by the daemon."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster prints every event to the terminal otherwise; they are all in the instance."""


@dataclass(frozen=True)
class Failure:
    """An asset, or a check of one, that failed, and the clear line that says why.

    Attributes:
        asset: which one.
        line: what people read.
        is_warning: whether everything was made, and somebody is to look at it.
    """

    asset: str
    line: str
    is_warning: bool = False


def execute(
    definitions: dg.Definitions,
    names: Collection[str],
    *,
    instance: dg.DagsterInstance,
    period: Period | None,
    window: Window | None,
    tags: Mapping[str, str],
    wait_for_server: Callable[[], object] = lambda: None,
) -> list[Failure]:
    """Make the partitions of a window of some assets of one partitioning, and check them.

    Dagster writes its events between the steps: where PostgreSQL goes away then, no step can be tried again, so all of
    it is begun anew as another run.

    Returns:
        What failed; what was to be made from it was left as it is.

    Raises:
        LostServerError: PostgreSQL went away again and again.
    """
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={asset_key(name) for name in names}
    )
    of_range = range_tags(period, window) if period is not None and window is not None else {}
    for _ in range(MOST_TRIES):
        run_id = str(uuid4())
        try:
            result = job.execute_in_process(
                instance=instance,
                tags={**tags, **of_range, **NOT_REPEATED},
                run_config=QUIET,
                raise_on_error=False,
                run_id=run_id,
            )
        except _losses():
            wait_for_server()
            _give_up(instance, run_id)
        else:
            return _failures(result, names, window)
    raise LostServerError(
        f"PostgreSQL went away {MOST_TRIES} times while runs were recorded. What was made stays; see to the server, and"
        " run again."
    )


def _losses() -> tuple[type[Exception], ...]:
    """What is raised when the server with Dagster's tables is lost."""
    from dagster_postgres.utils import DagsterPostgresException  # noqa: PLC0415 - it loads Alembic

    return DagsterPostgresException, DBAPIError


def _give_up(instance: dg.DagsterInstance, run_id: str) -> None:
    """Say of a run whose events could not be written that it is over."""
    with suppress(*_losses()):  # the next command finds it
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(run, "The connection to PostgreSQL was lost; another run begins anew.")


def _failures(
    result: dg.ExecuteInProcessResult, names: Collection[str], window: Window | None
) -> list[Failure]:
    by_step = {"__".join(name.split("/")): name for name in names}
    days = f" {window}" if window else ""
    evaluations = result.get_asset_check_evaluations()
    of_checks = {
        f"{'__'.join(evaluation.asset_key.path)}_{evaluation.check_name}" for evaluation in evaluations
    }
    found: list[Failure] = []
    for event in result.all_events:
        name = by_step.get(event.step_key or "", event.step_key or RUN)
        # A blocking check that fails is a step that fails; its evaluation says more.
        if event.is_step_failure and event.step_key not in of_checks:
            found.append(Failure(name, f"{name}{days}: {_reason(event)}"))
    for evaluation in evaluations:
        if not evaluation.passed:
            name = evaluation.asset_key.to_user_string()
            line = f"{name}{days}: check {evaluation.check_name}: {evaluation.description}"
            is_warning = evaluation.severity is dg.AssetCheckSeverity.WARN
            found.append(Failure(name, line, is_warning))
    graves = names_of(failure for failure in found if not failure.is_warning)
    if graves:
        made = {event.step_key for event in result.all_events if event.is_step_success}
        left = [name for step, name in by_step.items() if step not in made and name not in graves]
        found += [Failure(name, f"{name}{days}: not made, because of what failed before.") for name in left]
    if not result.success and all(failure.is_warning for failure in found):
        found.append(Failure(RUN, f"The run {result.run_id}{days} failed; `healthmate-bi ui` shows its log."))
    return found


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return reason_of(data.error) if data.error is not None else "failed."


def reason_of(error: Any) -> str:
    """The clear line of an error as Dagster keeps it, which may lie under those of Dagster.

    So it is when the server with Dagster's own tables goes away: that a step wanted to be tried again cannot be written.
    """
    for one in _with_causes(error):
        origin, _, text = one.message.partition(": ")
        if origin.startswith(HealthMateError.__module__):
            return str(text).strip()
    return str(error.message).strip().splitlines()[0]


def _with_causes(error: Any) -> Iterator[Any]:
    if error is not None:
        yield error
        yield from _with_causes(error.cause)
        yield from _with_causes(error.context)


def names_of(failures: Iterable[Failure]) -> set[str]:
    """The assets that failures are about."""
    return {failure.asset for failure in failures}
