"""Tables of figures of groups: one shape for every family, so that one transform fills them and one query reads them."""

from __future__ import annotations

from healthmate_bi_pipeline.catalog.columns import Column, PrivacyClass, Table, Type
from healthmate_bi_pipeline.catalog.provenance import PERIOD_COLUMNS, PROVENANCE


def group_table(name: str, *, description: str, stratum: str, figure: str) -> Table:
    """A table of figures of groups.

    Args:
        name: in SQL.
        description: one sentence.
        stratum: which groups there are.
        figure: which figures there are.
    """
    return Table(
        name,
        description,
        (
            *PERIOD_COLUMNS,
            Column("stratum", Type.TEXT, stratum, is_nullable=False),
            Column("figure", Type.TEXT, figure, is_nullable=False),
            Column(
                "band",
                Type.INTEGER,
                "Number of the band that the people's figures lie in; -1 for the whole group.",
                is_nullable=False,
            ),
            Column("people", Type.INTEGER, "People with a value.", "1", is_nullable=False),
            Column("total", Type.NUMBER, "Sum of the people's figures."),
            Column("total_squared", Type.NUMBER, "Sum of their squares."),
            Column("low", Type.NUMBER, "Smallest of the people's figures."),
            Column("high", Type.NUMBER, "Largest of the people's figures."),
            *PROVENANCE,
        ),
        key=("aggregation_period", "period_start", "stratum", "figure", "band"),
        privacy=PrivacyClass.LIMITED,
    )
