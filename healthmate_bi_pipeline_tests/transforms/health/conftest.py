"""What the tests of the health transforms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine
