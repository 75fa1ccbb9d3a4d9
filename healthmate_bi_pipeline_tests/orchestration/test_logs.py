"""Logs for programs: what a run writes is one JSON object a line."""

from __future__ import annotations

import json
import subprocess
import sys

from healthmate_bi_pipeline.settings import Settings

RUN = """
import logging, dagster as dg
from healthmate_bi_pipeline.orchestration.logs import write_json
write_json()

@dg.asset(key=["raw", "toys"], partitions_def=dg.DailyPartitionsDefinition("2026-01-01"))
def toys(context) -> None:
    context.log.info("made it\\nin two lines")
    logging.getLogger("healthmate_bi_pipeline.alerts").warning("something else")
    if context.partition_key == "2026-01-03":
        raise dg.Failure("no toys there")

for day in ("2026-01-02", "2026-01-03"):
    dg.materialize([toys], partition_key=day, raise_on_error=False)
"""


def test_every_line_of_a_run_is_an_object(environment: Settings) -> None:
    done = subprocess.run([sys.executable, "-c", RUN], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in (done.stdout + done.stderr).splitlines()]
    assert all({"timestamp", "level", "logger", "event"} <= set(line) for line in lines)
    (said,) = (
        line
        for line in lines
        if line["event"] == "made it\nin two lines" and line["partition"] == "2026-01-02"
    )
    assert (said["level"], said["logger"], said["step"]) == ("info", "dagster", "raw__toys")
    assert said["run_id"] in {line["run_id"] for line in lines if line.get("type") == "RUN_SUCCESS"}
    (made,) = (line for line in lines if line.get("type") == "ASSET_MATERIALIZATION")
    assert (made["asset"], made["partition"]) == ("raw/toys", "2026-01-02")
    assert {line["logger"] for line in lines if line["event"] == "something else"} == {
        "healthmate_bi_pipeline.alerts"
    }
    (failed,) = (line for line in lines if line.get("type") == "STEP_FAILURE")
    assert failed["level"] == "error"
    assert "no toys there" in failed["error"]
