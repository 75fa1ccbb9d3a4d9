"""Settings that a whole module shares: a journey is made once and looked at by many tests."""

from collections.abc import Callable

import pytest
from sqlalchemy import URL

from healthmate_bi_pipeline.settings import Settings


@pytest.fixture(scope="module")
def journey_settings(
    new_database: Callable[[URL], URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings with a home and a migrated database of the module's own."""
    url = new_database(_migrated_template).render_as_string(hide_password=False)
    return Settings(home=tmp_path_factory.mktemp("journey") / "home", database_url=url)
