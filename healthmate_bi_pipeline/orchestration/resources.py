"""The resource of all assets: the pipeline, opened once per run and closed at its end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import dagster as dg

from healthmate_bi_pipeline.orchestration.dead_runs import sign
from healthmate_bi_pipeline.usecases.pipeline import Pipeline

PIPELINE = "pipeline"

OpenPipeline = Callable[[], AbstractContextManager[Pipeline]]


def pipeline_resource(open_pipeline: OpenPipeline) -> dg.ResourceDefinition:
    """The resource that opens the pipeline for a run.

    It takes no configuration: settings come from environment and file, and what is configured in Dagster is
    shown in its UI, secrets and all.

    Args:
        open_pipeline: opens it; whoever has it open already may lend it.
    """

    @dg.resource(description="Warehouse, lake and settings, opened once per run.")
    def opened(context: dg.InitResourceContext) -> Iterator[Pipeline]:
        with open_pipeline() as pipeline:
            if context.run is None or context.instance is None:  # outside of a run
                yield pipeline
                return
            sign(context.instance, context.run.run_id)
            yield replace(pipeline, run_id=context.run.run_id)

    return opened
