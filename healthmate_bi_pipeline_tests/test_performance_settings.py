"""Service levels as people write them into healthmate.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import load_settings


def test_the_defaults_are_those_of_the_specification() -> None:
    levels = load_settings().performance
    assert (levels.response_time_ms, levels.error_rate, levels.availability) == (200, 0.01, 0.999)


def test_a_service_has_its_own_levels_where_it_says_so(tmp_path: Path) -> None:
    Path("healthmate.toml").write_text(
        "[performance]\nerror_rate = 0.02\n[performance.services.checkout]\nresponse_time_ms = 500\n"
    )
    levels = load_settings().performance
    assert levels.error_rate == 0.02
    assert levels.services["checkout"].response_time_ms == 500
    assert levels.services["checkout"].error_rate is None


@pytest.mark.parametrize(
    "wrong", ["availability = 1.0", "error_rate = 0", "response_time_ms = -5", "uptime = 0.99"]
)
def test_levels_that_make_no_sense_are_refused(wrong: str) -> None:
    Path("healthmate.toml").write_text(f"[performance.services.api]\n{wrong}\n")
    with pytest.raises(UsageError, match="performance.services.api"):
        load_settings()
