"""Where the columns of an asset come from, and where the code that makes it stands: what Dagster's pages link to."""

from collections.abc import Callable
from functools import partial
from typing import Any

import dagster as dg

from healthmate_bi_pipeline.catalog.columns import Column
from healthmate_bi_pipeline.catalog.figures import Figure
from healthmate_bi_pipeline.catalog.provenance import PROVENANCE
from healthmate_bi_pipeline.transforms.finishing import needed_components
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME, AssetSpec

_OF_THE_ROW_ITSELF = frozenset(column.name for column in PROVENANCE)


def column_lineage(spec: AssetSpec) -> dg.TableColumnLineage | None:
    """From which columns of what it is made from each column comes, as far as the catalog says.

    A figure comes from the parts of the state that it is finished from; any other column from those of its name.
    """
    found = {
        column.name: deps
        for column in spec.table.columns
        if column.name not in _OF_THE_ROW_ITSELF and (deps := _deps(column, spec))
    }
    return dg.TableColumnLineage(found) if found else None


def _deps(column: Column, spec: AssetSpec) -> list[dg.TableColumnDep]:
    names = {column.name}
    if isinstance(column, Figure) and column.measure is not None:
        names = {"measure", *needed_components([column])}
    return [
        dg.TableColumnDep(dg.AssetKey(above.split("/")), name)
        for above in spec.upstream
        if above in ASSET_BY_NAME
        for name in sorted(names.intersection(ASSET_BY_NAME[above].table.column_names))
    ]


def _label(function: Callable[..., object]) -> str:
    """A function by its module and name; one without a name by its module."""
    module, name = function.__module__.rpartition(".")[2], function.__name__
    return f"{module}.{name}" if name.isidentifier() else module


def code_references(spec: AssetSpec) -> dg.CodeReferencesMetadataValue:
    """The functions that make an asset: that of its kind, and what is particular to it."""
    found = []
    build: Any = spec.build
    particular = ("states",) if spec.group == "state" else ("figures", "gather", "build")
    while isinstance(build, partial):
        recipe = build.keywords.get("recipe")
        of_recipe = (getattr(recipe, name, None) for name in particular)
        found += [function for function in of_recipe if callable(function)]
        build = build.func
    return dg.CodeReferencesMetadataValue(
        code_references=[
            dg.LocalFileCodeReference(
                file_path=function.__code__.co_filename,
                line_number=function.__code__.co_firstlineno,
                label=_label(function),
            )
            for function in (build, *found)
        ]
    )
