import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime

import pytest
from jsonschema import Draft202012Validator, ValidationError

from healthmate_bi_pipeline.reporting.confidence import ConfidenceInput, Portion, confidence
from healthmate_bi_pipeline.reporting.health_summary.report import health_summary
from healthmate_bi_pipeline.reporting.json import (
    SCHEMA_ID,
    SCHEMA_PATH,
    content_sha256,
    render_json,
    report_document,
)
from healthmate_bi_pipeline_tests.reporting.rich_sample import rich_report
from healthmate_bi_pipeline_tests.reporting.samples import (
    A_RECOMMENDATION,
    AN_INSIGHT,
    PERSONAL,
    STAMP,
    inputs,
)

SCHEMA = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
FIELDS_ASKED_FOR = {
    "report_id",
    "report_type",
    "generated_at",
    "period_start",
    "period_end",
    "summary",
    "metrics",
    "insights",
    "recommendations",
    "generated_by",
    "data_sources",
    "confidence_score",
    "report_format",
}
REPORT = health_summary(inputs(), stamp=STAMP)


def test_the_schema_is_a_schema_with_a_name():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == SCHEMA_ID == report_document(REPORT)["schema"]


@pytest.mark.parametrize(
    "given_inputs",
    [
        inputs(),
        inputs(30),
        inputs(5),
        inputs(0, as_of=None, previous=None, previous_window=None),
        inputs(1, settings=PERSONAL),
        inputs(4, settings=PERSONAL),
    ],
    ids=["groups", "small", "tiny", "empty", "personal", "family"],
)
def test_every_report_follows_the_schema(given_inputs):
    written = json.loads(render_json(health_summary(given_inputs, stamp=STAMP)))
    VALIDATOR.validate(written)
    assert set(written) >= FIELDS_ASKED_FOR


def test_insights_and_confidence_fit_into_the_schema():
    report = replace(
        REPORT,
        insights=(AN_INSIGHT,),
        recommendations=(A_RECOMMENDATION,),
        confidence=confidence([ConfidenceInput("readings", (Portion("coverage", 20, 25, "days of days"),))]),
    )
    VALIDATOR.validate(report_document(report))


def test_every_kind_of_block_fits_into_the_schema():
    written = json.loads(render_json(rich_report()))
    VALIDATOR.validate(written)
    kinds = {
        block["block"]
        for section in written["sections"]
        for part in (section, *section["subsections"])
        for block in part["blocks"]
    }
    assert kinds == {
        "key_figures", "bands", "trend", "bars", "heat_map", "calendar", "timeline", "table", "text", "definitions"
    }  # fmt: skip
    assert kinds == {kind["$ref"].rpartition("/")[2] for kind in SCHEMA["$defs"]["block"]["oneOf"]}


@pytest.mark.parametrize(
    "break_it",
    [
        lambda document: document.update(surprise=1),
        lambda document: document.update(confidence_score=1.2),
        lambda document: document.update(privacy_class="identified"),
        lambda document: document.pop("not_measured"),
        lambda document: document["metrics"][0].update(low=80.0),
        lambda document: document["metrics"][0].update(people={"value": 7, "status": "suppressed"}),
        lambda document: document["metrics"][0].update(people={"value": None, "status": "shown"}),
        lambda document: document["sections"][0]["subsections"][0]["blocks"].append({"block": "pie"}),
    ],
)
def test_the_schema_refuses_what_is_wrong(break_it):
    document = deepcopy(report_document(REPORT))
    break_it(document)
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


def test_the_content_hash_leaves_out_what_only_tells_writings_apart():
    other = replace(
        STAMP, report_id="another", version=7, generated_at=datetime(2027, 1, 1), generated_by="hand"
    )
    assert content_sha256(replace(REPORT, stamp=other)) == content_sha256(REPORT)
    assert content_sha256(replace(REPORT, is_complete=False)) != content_sha256(REPORT)
    assert content_sha256(health_summary(inputs(241), stamp=STAMP)) != content_sha256(REPORT)


def test_instants_are_utc_and_wall_clock_has_no_zone():
    document = report_document(REPORT)
    assert (document["period_start"], document["period_end"]) == (
        "2026-03-01T00:00:00",
        "2026-04-01T00:00:00",
    )
    assert (document["generated_at"], document["as_of"]) == ("2026-04-04T05:30:00Z", "2026-04-04T05:12:00Z")


def test_a_hash_of_64_bits_survives():
    assert report_document(REPORT)["input_versions"] == {"bi_health_groups": str(2**62 + 1)}


def test_numbers_of_one_s_own_have_all_their_digits():
    mine = inputs(1, settings=PERSONAL)
    document = report_document(health_summary(mine, stamp=STAMP))
    figure = document["metrics"][0]
    assert figure["value"] == mine.current[figure["figure"]].mean
