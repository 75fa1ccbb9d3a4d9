"""Homes that are filled once for a file of tests and copied for each of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from healthmate_bi_pipeline.settings import Settings

Copy = Callable[[Settings], Settings]


@pytest.fixture
def copy_of(new_database: Callable[[URL], URL], tmp_path: Path) -> Copy:
    """Copies a home, files and database."""

    def copy(filled: Settings) -> Settings:
        assert filled.database_url is not None
        shutil.copytree(filled.home_path, tmp_path / "home")
        url = new_database(make_url(filled.database_url.get_secret_value()))
        return Settings(home=tmp_path / "home", database_url=url.render_as_string(hide_password=False))

    return copy
