"""Asset checks: each entry of ``usecases/checks`` as Dagster's, over the days of its run."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import dagster as dg

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.assets import asset_key
from healthmate_bi_pipeline.orchestration.failures import told_to_dagster
from healthmate_bi_pipeline.orchestration.resources import PIPELINE
from healthmate_bi_pipeline.settings import CheckSettings, Severity
from healthmate_bi_pipeline.usecases.check_results import check_and_record, severity_of
from healthmate_bi_pipeline.usecases.checks import CHECKS, CheckSpec, Judgement, Verdict
from healthmate_bi_pipeline.usecases.graph import AssetSpec
from healthmate_bi_pipeline.usecases.pipeline import Pipeline

_PARTITION = "dagster/partition"
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def build_checks(
    specs: Iterable[CheckSpec], assets: Iterable[AssetSpec], settings: CheckSettings
) -> list[dg.AssetChecksDefinition]:
    """The checks of the assets that are there.

    Raises:
        UsageError: the settings name a check that there is not.
    """
    specs = tuple(specs)
    names = {spec.name for spec in CHECKS}
    for name in {*settings.severity, *settings.tolerated} - names:
        raise UsageError(f"checks: there is no check {name}; there are {', '.join(sorted(names))}.")
    by_name = {asset.name: asset for asset in assets}
    return [_check(spec, by_name[spec.asset]) for spec in specs if spec.asset in by_name]


def _check(spec: CheckSpec, asset: AssetSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset_key(spec.asset),
        name=spec.name,
        description=spec.description,
        required_resource_keys={PIPELINE},
        blocking=spec.is_blocking,
    )
    def checked(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        pipeline: Pipeline = getattr(context.op_execution_context.resources, PIPELINE)
        with told_to_dagster(context.op_execution_context):
            window = window_of_run(context.run.tags, asset)
            judgement = check_and_record(pipeline, spec, window, at=datetime.now(UTC))
            return result(judgement, severity_of(judgement, spec, pipeline.settings.checks))

    return checked


def window_of_run(tags: Mapping[str, str], asset: AssetSpec) -> Window | None:
    """The days that a run makes of an asset, from its tags; ``None``: it is about no days, so about all."""
    if asset.partitioned_by is None:
        return None
    first, last = (tags.get(name, tags.get(_PARTITION)) for name in _RANGE)
    if first is None or last is None:
        return None
    parse = asset.partitioned_by.parse_label
    return Window(parse(first).start, parse(last).end)


def result(judgement: Judgement, severity: Severity) -> dg.AssetCheckResult:
    """A judgement in Dagster's terms: it knows two verdicts, so the four are in the metadata."""
    metadata: dict[str, str | int] = {"verdict": str(judgement.verdict)}
    if judgement.measurement is not None:
        measured = judgement.measurement
        metadata |= {"wrong": measured.wrong, "of": measured.of, **measured.counts}
    return dg.AssetCheckResult(
        passed=judgement.verdict in (Verdict.PASSED, Verdict.NOT_APPLICABLE),
        severity=dg.AssetCheckSeverity.ERROR if severity is Severity.CRITICAL else dg.AssetCheckSeverity.WARN,
        description=judgement.reason,
        metadata=metadata,
    )
