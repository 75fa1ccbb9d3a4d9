"""Where people open what was made and what made it: addresses where the settings know them, else paths."""

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import dagster as dg

import healthmate_bi_pipeline
from healthmate_bi_pipeline.settings import Settings

PACKAGE = Path(healthmate_bi_pipeline.__file__).parent


def report_links(settings: Settings, paths: Iterable[str]) -> dict[str, dg.MetadataValue]:
    """HTML and JSON of a report: the addresses where it is published, else the files.

    A personal report is published nowhere.

    Args:
        settings: the configuration.
        paths: of its files, below the reports.
    """
    is_published = settings.report.audience != "personal"
    address = settings.links.reports_url if is_published else None
    return {
        PurePosixPath(path).suffix.removeprefix(".").upper(): dg.MetadataValue.url(
            f"{address.rstrip('/')}/{quote(path)}"
        )
        if address
        else dg.MetadataValue.path(settings.reports_path / path)
        for path in paths
    }


def linked_to_repository(
    assets: Sequence[dg.AssetsDefinition], settings: Settings
) -> list[dg.AssetsDefinition]:
    """The assets with links to their code in the repository, where the settings name one; else as they are."""
    repository = settings.links.repository
    if repository is None:
        return list(assets)
    linked = dg.link_code_references_to_git(
        assets,
        git_url=repository,
        git_branch=settings.links.revision,
        file_path_mapping=dg.AnchorBasedFilePathMapping(
            local_file_anchor=PACKAGE, file_anchor_path_in_repository=PACKAGE.name
        ),
    )
    return [asset for asset in linked if isinstance(asset, dg.AssetsDefinition)]
