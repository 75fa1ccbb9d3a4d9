"""The palette, measured: contrast as WCAG 2 defines it."""

import itertools

import pytest

from healthmate_bi_pipeline.reporting.charts.theme import DARK, LIGHT, SERIES, STEPS


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_written_or_drawn_can_be_read_on_its_background(palette):
    for name in ("ink", "muted", "signal", *(f"series-{number}" for number in range(1, SERIES + 1))):
        assert contrast(palette[name], palette["surface"]) >= 4.5, name
    for name in ("ink", "muted"):
        assert contrast(palette[name], palette["track"]) >= 4.5, name
    for number in range(1, STEPS + 1):
        assert contrast(palette[f"on-step-{number}"], palette[f"step-{number}"]) >= 4.5, number


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_steps_of_the_scale_leave_the_background_one_after_the_other(palette):
    seen = [contrast(palette[f"step-{number}"], palette["surface"]) for number in range(1, STEPS + 1)]
    assert seen == sorted(seen)
    assert all(after / before > 1.15 for before, after in itertools.pairwise(seen))
