"""What the pages link to, with and without addresses."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.links import report_links
from healthmate_bi_pipeline.settings import LinkSettings, ReportSettings, Settings, load_settings

PATHS = ("health_summary/daily/2026-02-02/v1.html", "health_summary/daily/2026-02-02/v1.json")


def test_a_report_that_is_published_has_an_address(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, links=LinkSettings(reports_url="https://reports.example.org/r/"))
    assert report_links(settings, PATHS) == {
        "HTML": dg.MetadataValue.url(f"https://reports.example.org/r/{PATHS[0]}"),
        "JSON": dg.MetadataValue.url(f"https://reports.example.org/r/{PATHS[1]}"),
    }


@pytest.mark.parametrize(
    ("audience", "address"), [("groups", None), ("personal", "https://reports.example.org")]
)
def test_any_other_has_a_path(tmp_path: Path, audience: str, address: str | None) -> None:
    settings = Settings(
        home=tmp_path, links=LinkSettings(reports_url=address), report=ReportSettings(audience=audience)
    )
    assert report_links(settings, PATHS) == {
        "HTML": dg.MetadataValue.path(settings.reports_path / PATHS[0]),
        "JSON": dg.MetadataValue.path(settings.reports_path / PATHS[1]),
    }


def test_code_is_linked_to_the_repository_that_the_settings_name(tmp_path: Path) -> None:
    repository = "https://github.com/example/health"
    links = LinkSettings(repository=repository, revision="v1.2")
    for spec in build_definitions(Settings(home=tmp_path, links=links)).resolve_all_asset_specs():
        for reference in spec.metadata["dagster/code_references"].code_references:
            path, line = reference.url.removeprefix(f"{repository}/tree/v1.2/").split("#L")
            code = (Path(__file__).parents[2] / path).read_text().splitlines()[int(line) - 1]
            assert "def " in code or "lambda" in code or code.lstrip().startswith("@")


def test_a_repository_that_nobody_knows_how_to_link_to_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"links\.repository"):
        load_settings(home=tmp_path, links={"repository": "https://example.org/health"})
