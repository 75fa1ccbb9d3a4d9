"""The sections that every report has: data quality, and what the figures mean.

Reads ``Shown…`` values only.
"""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.datasets import DATASET_BY_NAME
from healthmate_bi_pipeline.catalog.registry import figure_named
from healthmate_bi_pipeline.catalog.rules import FILE_RULES, ROW_RULES
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Block,
    Cell,
    DataTable,
    Definition,
    Definitions,
    KeyFigure,
    KeyFigures,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.suppression import ShownQuality


def quality_section(qualities: Sequence[ShownQuality], *, accuracy: KeyFigure | None, note: str) -> Section:
    """What became of the rows, and why some were set aside."""
    blocks: list[Block] = []
    if accuracy is not None and not isinstance(accuracy.value, Absence):
        blocks.append(KeyFigures((accuracy,)))
    if not qualities:
        return Section(
            "data-quality", "Data quality", blocks=(*blocks, Text(("No rows lie in this period.",)))
        )
    blocks.append(_rows_table(qualities, note=note))
    reasons = _reasons_table(qualities)
    if reasons.rows:
        blocks.append(reasons)
    return Section("data-quality", "Data quality", blocks=tuple(blocks))


def _rows_table(qualities: Sequence[ShownQuality], *, note: str) -> DataTable:
    labels = (
        "Staged",
        "Kept",
        "Duplicates",
        "Superseded",
        "Quarantined",
        "Files read",
        "Lines rejected",
        "Rows undated",
    )
    return DataTable(
        table_id="rows",
        title="What became of the rows",
        columns=(TableColumn("Dataset"), *(TableColumn(label, is_numeric=True) for label in labels)),
        rows=tuple(
            (
                dataset_label(one.dataset),
                one.staged,
                one.kept,
                one.duplicates,
                one.superseded,
                one.quarantined,
                one.files,
                one.rejected_lines,
                one.undated,
            )
            for one in qualities
        ),
        note=(
            "Staged rows have a day. Each of them is kept, is a duplicate of another one, was superseded by a"
            f" later version, or was set aside (quarantined). {note}"
        ).strip(),
    )


def _reasons_table(qualities: Sequence[ShownQuality]) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for one in qualities:
        if one.by_rule is None:
            rows.append((dataset_label(one.dataset), "not shown: too few rows", "", one.quarantined))
            continue
        rows.extend(
            (dataset_label(one.dataset), rule, _rule_text(rule), count) for rule, count in one.by_rule
        )
    columns = (
        TableColumn("Dataset"),
        TableColumn("Rule"),
        TableColumn("Meaning"),
        TableColumn("Rows", is_numeric=True),
    )
    return DataTable("reasons", "Why rows were set aside", columns, tuple(rows))


def _rule_text(rule: str) -> str:
    """What a rule means; ``rule:column`` is looked up by its rule."""
    name, _, column = rule.partition(":")
    meaning = ROW_RULES.get(name) or FILE_RULES.get(name) or "no description in the catalog"
    return f"{meaning} (column {column})" if column else meaning


def dataset_label(name: str) -> str:
    """What a reader calls a dataset."""
    return name.replace("_", " ").capitalize()


def dataset_description(name: str) -> str:
    """What a dataset holds, from the catalog."""
    return DATASET_BY_NAME[name].description if name in DATASET_BY_NAME else dataset_label(name)


def definitions_section(metrics: Sequence[KeyFigure], *, remark: str = "") -> Section:
    """What the figures on the page mean; the remark is about all of them."""
    items = tuple(
        Definition(
            figure=metric.figure,
            label=metric.label,
            meaning=known.description,
            unit=style_of(metric.figure).unit,
            source=known.source,
            version=known.version,
        )
        for metric in metrics
        if not isinstance(metric.value, Absence) and (known := figure_named(metric.figure)) is not None
    )
    remarks = (Text((remark,)),) if remark else ()
    return Section("definitions", "What the figures mean", blocks=(*remarks, Definitions(items)))
