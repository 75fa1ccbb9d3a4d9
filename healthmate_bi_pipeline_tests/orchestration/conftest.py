"""An environment that leads to the test's own home and database, and Dagster instances."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from healthmate_bi_pipeline.orchestration.instance import FAST_EVENTS, prepare_dagster_home
from healthmate_bi_pipeline.settings import Settings


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the test, as the environment of this process and its children."""
    assert settings.database_url is not None
    monkeypatch.setenv("HEALTHMATE_HOME", str(settings.home_path))
    monkeypatch.setenv("HEALTHMATE_DATABASE_URL", settings.database_url.get_secret_value())
    for name in ("DAGSTER_HOME", *FAST_EVENTS):  # set by what is tested; taken back by this
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return settings


@pytest.fixture
def instance(environment: Settings) -> Iterator[dg.DagsterInstance]:
    """The real instance: the packaged ``dagster.yaml``, on PostgreSQL."""
    prepare_dagster_home(environment)
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture
def memory_instance() -> Iterator[dg.DagsterInstance]:
    """Dagster's own instance in memory, where it does not matter where runs are recorded."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened
