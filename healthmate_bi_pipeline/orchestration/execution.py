"""Executing some assets over a window in this process, recorded in the instance like any other run."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.orchestration.partitions import range_tags

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
) -> list[Failure]:
    """Make the partitions of a window of some assets of one partitioning, and check them.

    Returns:
        What failed; what was to be made from it was left as it is.
    """
    job = definitions.resolve_implicit_global_asset_job_def().get_subset(
        asset_selection={asset_key(name) for name in names}
    )
    of_range = range_tags(period, window) if period is not None and window is not None else {}
    result = job.execute_in_process(
        instance=instance, tags={**tags, **of_range, **NOT_REPEATED}, run_config=QUIET, raise_on_error=False
    )
    return _failures(result, names, window)


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
        name = by_step.get(event.step_key or "", event.step_key or "run")
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
        found.append(
            Failure("run", f"The run {result.run_id}{days} failed; `healthmate-bi ui` shows its log.")
        )
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
