"""Write the pages of this folder that come from the catalog: ``python -m docs.generate``.

A test makes them again and compares, so that a page never tells another story than the code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from docs.alert_pages import alerts_page
from docs.insight_pages import insight_rules
from healthmate_bi_pipeline.catalog import engagement, finance, operations, performance
from healthmate_bi_pipeline.catalog.columns import Column
from healthmate_bi_pipeline.catalog.datasets import COMMON, DATASETS, Field
from healthmate_bi_pipeline.catalog.golden import (
    OF_ACTIVITY,
    OF_FINANCE,
    OF_HEALTH_GROUPS,
    OF_OPERATIONS,
    golden_engagement_test,
    golden_test,
    performance_test,
)
from healthmate_bi_pipeline.catalog.health import HEALTH_FIGURES, REGISTRY_VERSION, Figure
from healthmate_bi_pipeline.catalog.health_groups import CATEGORIES, HEALTH_GROUP_FIGURES
from healthmate_bi_pipeline.catalog.measures import COMPONENTS, HEALTH_MEASURES
from healthmate_bi_pipeline.catalog.readings import METRIC_BY_CODE, METRICS, SLIPS
from healthmate_bi_pipeline.catalog.rules import FILE_RULES, ROW_RULES
from healthmate_bi_pipeline.catalog.tables import TABLES, VIEWS

FOLDER = Path(__file__).parent
_NOTE = "<!-- Written by `make docs` from healthmate_bi_pipeline/catalog; change it there. -->"


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    return {
        "metrics.md": "\n".join(_metrics()) + "\n",
        "datasets.md": "\n".join(_datasets()) + "\n",
        "tables.md": "\n".join(_tables()) + "\n",
        "alerts.md": "\n".join(alerts_page(_NOTE)) + "\n",
        "insight-rules.md": "\n".join(insight_rules(_NOTE)) + "\n",
    }


def _metrics() -> Iterator[str]:
    yield "# What the figures mean"
    yield ""
    yield _NOTE
    yield ""
    yield (
        "Every column of `bi_aggregated_health_metrics` that holds a figure, with its unit, the shortest period"
        " that it is given for, the measure and statistic that it is made from, and where the rule comes from."
        f" Registry version {REGISTRY_VERSION}. `own` marks a definition of this project; the last column names the"
        " test below `healthmate_bi_pipeline_tests` that holds the figure to golden values or to a second,"
        " independent computation."
    )
    yield ""
    yield "| column | unit | from | made of | meaning | source | version | held by |"
    yield "|---|---|---|---|---|---|---|---|"
    for figure in HEALTH_FIGURES:
        cells = (
            figure.unit or "",
            str(figure.shortest),
            _made_of(figure),
            figure.description,
            figure.source,
            str(figure.version),
            f"`{golden_test(figure)}`",
        )
        yield f"| `{figure.name}` | {' | '.join(cells)} |"
    yield ""
    yield from _health_groups()
    yield ""
    yield "## Measures and how they add up"
    yield ""
    yield (
        "Figures are finished from additive state: one row per person, measure and slot with the components"
        " below. A longer period is the merge of shorter ones; a measure of a day is null in hourly rows."
    )
    yield ""
    yield "| measure | unit | finest slot | what a value is |"
    yield "|---|---|---|---|"
    for measure in HEALTH_MEASURES:
        yield f"| `{measure.name}` | {measure.unit} | {measure.native_grain} | {measure.description} |"
    yield ""
    yield "| component | merged by | what it is |"
    yield "|---|---|---|"
    for component in COMPONENTS:
        yield f"| `{component.column.name}` | {component.merge} | {component.column.description} |"
    yield ""
    yield from _engagement()
    yield ""
    yield from _groups()
    yield ""
    yield from _performance()
    yield ""
    yield from _finance()
    yield ""
    yield from _operations()


def _health_groups() -> Iterator[str]:
    yield "## Health of groups"
    yield ""
    yield (
        "Groups in `bi_health_groups` are described by the mean of their people's figures above, and by how many people"
        " lie in each band; steps per day are of those with steps on 3 days of a week, 4 of a month, 4 a month of"
        " longer periods. The bands of `blood_pressure_category` are its categories, numbered from 0:"
        f" {', '.join(CATEGORIES['blood_pressure_category'])}. These figures are of groups only:"
    )
    yield ""
    yield from _defined(HEALTH_GROUP_FIGURES, OF_HEALTH_GROUPS)


def _engagement() -> Iterator[str]:
    yield "## User engagement"
    yield ""
    yield (
        "Columns of `bi_user_engagement_analytics` that hold a figure; the tables of groups beside it stand in"
        f" [tables.md](tables.md). Registry version {engagement.REGISTRY_VERSION}."
    )
    yield ""
    yield "| column | unit | from | made of | meaning | source | held by |"
    yield "|---|---|---|---|---|---|---|"
    for figure in engagement.ENGAGEMENT_FIGURES:
        cells = (
            figure.unit or "",
            str(figure.shortest),
            _made_of(figure),
            figure.description,
            figure.source,
            f"`{golden_engagement_test(figure)}`",
        )
        yield f"| `{figure.name}` | {' | '.join(cells)} |"
    yield ""
    yield "| measure | unit | finest slot | what a value is |"
    yield "|---|---|---|---|"
    for measure in engagement.ENGAGEMENT_MEASURES:
        yield f"| `{measure.name}` | {measure.unit} | {measure.native_grain} | {measure.description} |"


def _groups() -> Iterator[str]:
    yield "## User engagement of groups"
    yield ""
    yield (
        "What the report on user engagement tells of everybody: made from `bi_engagement_activity`,"
        " `bi_engagement_lifecycle`, `bi_engagement_cohorts`, `bi_engagement_feature_use` and `bi_user_retention`."
    )
    yield ""
    yield from _defined(engagement.ACTIVITY_FIGURES, OF_ACTIVITY)


def _finance() -> Iterator[str]:
    yield "## Finance"
    yield ""
    yield (
        "What the finance report tells, made from `bi_revenue` and `bi_lifetime_value`; what recurring revenue and its"
        " movements are stands in `healthmate_bi_pipeline/domain/revenue.py`. A figure of money is told per currency, and"
        " its name then ends in it: `monthly_recurring_revenue:EUR`. All times are UTC. Registry version"
        f" {finance.REGISTRY_VERSION}."
    )
    yield ""
    yield from _defined(finance.FINANCE_FIGURES, OF_FINANCE)


def _defined(figures: Sequence[Figure], held: Mapping[str, str]) -> Iterator[str]:
    yield "| figure | unit | meaning | source | held by |"
    yield "|---|---|---|---|---|"
    for figure in figures:
        yield (
            f"| `{figure.name}` | {figure.unit} | {figure.description} | {figure.source} | `{held[figure.name]}` |"
        )


def _performance() -> Iterator[str]:
    yield "## System performance"
    yield ""
    yield (
        "Rows of `bi_system_performance_metrics`, one per figure, service, environment, instance and route group; `*`"
        " stands for all of them, which is a merge of states. Every figure is given for all six periods, in UTC."
        f" Registry version {performance.REGISTRY_VERSION}."
    )
    yield ""
    yield "| metric_name | unit | meaning | source | held by |"
    yield "|---|---|---|---|---|"
    for figure in performance.PERFORMANCE_FIGURES:
        held = performance_test(figure)
        yield f"| `{figure.name}` | {figure.unit} | {figure.description} | {figure.source} | `{held}` |"
    yield ""
    yield "| measure | unit | finest slot | what a value is |"
    yield "|---|---|---|---|"
    for measure in performance.PERFORMANCE_MEASURES:
        yield f"| `{measure.name}` | {measure.unit} | {measure.native_grain} | {measure.description} |"
    yield ""
    yield "Thresholds of `bi_performance_incidents`, per service and environment:"
    yield ""
    yield "| threshold | unit | broken when |"
    yield "|---|---|---|"
    for threshold in performance.THRESHOLDS:
        yield f"| `{threshold.name}` | {threshold.unit} | {threshold.description} |"


def _operations() -> Iterator[str]:
    yield "## Operations and compliance"
    yield ""
    yield (
        "Figures of the reports on the pipeline itself. No table holds them: they are worked out from the books (files,"
        " partitions, runs, audit log, reports) when a report is made."
        f" Registry version {operations.REGISTRY_VERSION}."
    )
    yield ""
    yield "| figure | unit | meaning | source | held by |"
    yield "|---|---|---|---|---|"
    for figure in operations.OPERATIONS_FIGURES:
        held = OF_OPERATIONS[figure.name]
        yield f"| `{figure.name}` | {figure.unit} | {figure.description} | {figure.source} | `{held}` |"


def _made_of(figure: Figure) -> str:
    if figure.statistic is None:
        return "see meaning"
    return f"{figure.statistic} of `{figure.measure}`"


def _datasets() -> Iterator[str]:
    yield "# Raw datasets"
    yield ""
    yield _NOTE
    yield ""
    yield (
        "Files end in `.parquet`, `.csv` (also `.tsv`, `.txt`) or `.ndjson` (`.jsonl`, `.json`), with `.gz` or"
        " `.zst` behind it when they are packed. CSV is UTF-8 with a header; the delimiter is a comma, semicolon,"
        " tab or bar, decimals have a point, names of columns may differ in case."
    )
    yield ""
    yield (
        "Files in `landing/<dataset>/` have these columns, in any order; more columns may exist and are left"
        " alone. **Bold** columns are required: a file without one is refused. The others may be missing; when a file"
        " lacks one that those before it had, or has one that nobody reads, the check `columns_are_usual`"
        " ([operating.md](operating.md)) and `healthmate-bi validate` tell."
    )
    yield ""
    for dataset in DATASETS:
        yield f"## {dataset.name}"
        yield ""
        yield dataset.description
        yield ""
        yield f"Known by {' or else '.join(' + '.join(f'`{name}`' for name in key) for key in dataset.keys)}."
        yield ""
        yield "| column | type | unit | meaning |"
        yield "|---|---|---|---|"
        for field in dataset.fields:
            if field not in COMMON:
                yield _field(field)
        yield ""
    yield "## Columns that every dataset takes"
    yield ""
    yield "| column | type | unit | meaning |"
    yield "|---|---|---|---|"
    for field in COMMON:
        yield _field(field)
    yield ""
    yield "## Metrics of health_readings"
    yield ""
    yield (
        "The first unit is kept, the others are converted. Outside the hard limits a row is set aside, outside"
        " the soft ones it is kept and counted as implausible."
    )
    yield ""
    yield "| metric | kept in | taken | hard limits | soft limits |"
    yield "|---|---|---|---|---|"
    for metric in METRICS:
        taken = ", ".join(unit.spelling for unit in metric.units)
        optional = ", or none" if metric.is_unit_optional else ""
        yield (
            f"| `{metric.code}` | {metric.unit} | {taken}{optional} |"
            f" {metric.hard[0]:g}–{metric.hard[1]:g} | {metric.soft[0]:g}–{metric.soft[1]:g} |"
        )
    yield ""
    yield from _slips()
    yield "## Rules"
    yield ""
    yield "A rule with a column is written `rule:column`. Rules of files and lines, then rules of rows:"
    yield ""
    yield "A row that takes a reading back (`is_deleted`) needs its time as well: without one it has no day."
    yield ""
    yield "| rule | it says |"
    yield "|---|---|"
    for name, text in (*FILE_RULES.items(), *ROW_RULES.items()):
        yield f"| `{name}` | {text} |"


def _slips() -> Iterator[str]:
    yield "## Suspected slips, swapped values, impossible days"
    yield ""
    yield (
        "A value that was declared in the unit that is kept and looks as if it were in another is set aside as"
        " `suspected_unit:value`, before its limits are looked at. The median is the person's own, of the month"
        " before, made once when that month is over; who has none is not tested against it."
    )
    yield ""
    yield "| metric | declared | looks like | when |"
    yield "|---|---|---|---|"
    for slip in SLIPS:
        parts = []
        if slip.values is not None:
            parts.append(f"the value is {slip.values[0]:g}–{slip.values[1]:g}")
        if slip.median_above is not None:
            parts.append(f"the median is above {slip.median_above:g}")
        if slip.times_median is not None:
            parts.append(f"the value is {slip.times_median:g} times the median, within {slip.within:.0%}")
        unit = METRIC_BY_CODE[slip.metric].unit
        yield f"| `{slip.metric}` | {unit} | {slip.meant.spelling} | {' and '.join(parts)} |"
    yield ""
    yield (
        "Both rows of a blood pressure whose systolic value is not above the diastolic one are set aside as"
        " `suspected_swap:value`. Rows belong together by `reading_id`, else by their time, per person and source;"
        " each is compared with the one that it came with. With `plausibility.repair_slips` such values are mended"
        " instead and carry `is_repaired`; the values of a swapped pair only when both came in one file."
    )
    yield ""
    limits = "; ".join(f"`{name}` {limit:,.0f}" for dataset in DATASETS for name, limit in dataset.day_limits)
    yield (
        "The rows of a person, source and day that add up to more than a day can have are all set aside as"
        f" `impossible_day:column`, a device's daily totals apart from its stretches: {limits}."
    )
    yield ""


def _field(field: Field) -> str:
    name = f"**`{field.name}`**" if field.is_required else f"`{field.name}`"
    codes = f" One of {', '.join(f'`{code}`' for code in field.codes)}." if field.codes else ""
    return f"| {name} | {field.type} | {field.unit or ''} | {field.description}{codes} |"


def _tables() -> Iterator[str]:
    yield "# Warehouse tables"
    yield ""
    yield _NOTE
    yield ""
    for table in (*VIEWS, *TABLES):
        yield f"## {table.name}"
        yield ""
        yield f"{table.description} Class: {table.privacy}. Key: {', '.join(f'`{name}`' for name in table.key)}."
        yield ""
        yield "| column | type | meaning |"
        yield "|---|---|---|"
        for column in table.columns:
            yield _column(column)
        yield ""


def _column(column: Column) -> str:
    return f"| `{column.name}` | {column.type} | {column.comment} |"


def main() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
