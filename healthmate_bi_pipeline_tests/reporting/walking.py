"""Looking through finished reports: blocks, metrics, and what an attacker would count as a small cell."""

import json

from jsonschema import Draft202012Validator

from healthmate_bi_pipeline.reporting.blocks import Absence, DataTable
from healthmate_bi_pipeline.reporting.json import SCHEMA_PATH, report_document

VALIDATOR = Draft202012Validator(json.loads(SCHEMA_PATH.read_text(encoding="utf-8")))


def blocks(report, kind):
    """All blocks of a type."""
    parts = [part for section in report.sections for part in (section, *section.subsections)]
    return [block for part in parts for block in part.blocks if isinstance(block, kind)]


def metric(report, name):
    """The metric with this name."""
    return next(one for one in report.metrics if one.figure == name)


def table(report, table_id):
    """The rows of a table by their first cell."""
    (found,) = (block for block in blocks(report, DataTable) if block.table_id == table_id)
    return {row[0]: row[1:] for row in found.rows}


def assert_valid(report):
    """The JSON follows the schema."""
    VALIDATOR.validate(report_document(report))


def people_in(document):
    """Every number of people in the JSON of a report."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            people = value.get("people")
            if isinstance(people, dict) and isinstance(people.get("value"), int):
                found.append(people["value"])
            elif isinstance(people, int):
                found.append(people)
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(document)
    return found


def assert_no_small_cell(report, *, minimum=11):
    """No number of people is small."""
    counted = people_in(report_document(report)) + [
        metric.value
        for metric in report.metrics
        if metric.figure.endswith("_people") and not isinstance(metric.value, Absence)
    ]
    assert counted
    assert not [count for count in counted if 0 < count < minimum]
