"""How often a report on data in which nothing happened has an insight: the false-signal rate.

Every report watches the figures of a health summary over noise whose deviation is twice the smallest change worth
saying, so that this limit keeps nothing back. ``rules alone`` are the rules of the control chart as they stand, touching
the report's period, without p values; ``told`` is what a report would say. Devices are told apart by tests of their own,
of people who all change alike.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from healthmate_bi_pipeline.catalog.device_changes import COMPARED_FIGURES
from healthmate_bi_pipeline.catalog.watched_figures import HEALTH, watched_figure
from healthmate_bi_pipeline.domain.period import Period, Window, midnight
from healthmate_bi_pipeline.reporting.evidence import Contrast, Evidence, Sample, Tracked
from healthmate_bi_pipeline.reporting.figure_tests import find
from healthmate_bi_pipeline.reporting.insights import search

POINTS = {Period.DAILY: 91, Period.WEEKLY: 52, Period.MONTHLY: 36}
PEOPLE = 500
LEVEL = 100.0
SHARE = 0.4
"""The level of shares of people."""
PEOPLE_OF_DEVICES = (12, 20, 40, 90)
CHART_RULES = {"outside", "near", "shift", "run"}


@dataclass(frozen=True)
class Noise:
    """A kind of noise."""

    name: str
    correlation: float = 0.0
    weekday: float = 0.0
    degrees: float = 0.0
    """Of a t distribution; normal where it is 0."""


NOISES = (
    Noise("independent"),
    Noise("with a weekday cycle", weekday=2.0),
    Noise("heavy tails (t, 3 degrees)", degrees=3.0),
    Noise("neighbours correlated 0.3", correlation=0.3),
)


def null_evidence(dice: np.random.Generator, noise: Noise, period: Period) -> Evidence:
    """A report's figures over a history in which nothing happened."""
    windows, start = [], period.floor(midnight(np.datetime64("2025-01-06").astype(object)))
    for _ in range(POINTS[period]):
        windows.append(Window(start, period.next(start)))
        start = period.next(start)
    tracked = []
    for watched in HEALTH:
        level = SHARE if watched.is_share_of_people else LEVEL
        unit = 2 * watched.smallest_at(level)
        values = level + unit * noise_of(dice, noise, period)
        if watched.is_share_of_people:
            values = values.clip(0, 1)
        samples = tuple(
            Sample(window, float(value), PEOPLE, deviation=unit * 5)
            for window, value in zip(windows, values, strict=True)
        )
        tracked.append(Tracked(watched.name, period, samples, samples[-1], samples[-2], "the period before"))
    return Evidence(tuple(tracked))


def null_devices(dice: np.random.Generator, degrees: float) -> Evidence:
    """A report's devices, whose people's changes are all drawn alike: by t with so many degrees, normal where it is 0."""
    window = Period.MONTHLY.window(midnight(np.datetime64("2025-01-01").astype(object)))
    contrasts = []
    for figure in COMPARED_FIGURES.values():
        unit = 4 * watched_figure(figure).smallest_at(LEVEL)
        drawn = (
            dice.standard_t(degrees, size=sum(PEOPLE_OF_DEVICES))
            if degrees
            else dice.normal(size=sum(PEOPLE_OF_DEVICES))
        )
        people = np.split(unit * drawn, np.cumsum(PEOPLE_OF_DEVICES)[:-1])
        for place, own in enumerate(people):
            others = np.concatenate(people[:place] + people[place + 1 :])
            sides = [
                Sample(window, float(side.mean()), len(side), deviation=float(side.std(ddof=1)))
                for side in (own, others)
            ]
            contrasts.append(Contrast(figure, f"device {place}", *sides, previous_name="the month before"))
    return Evidence(contrasts=tuple(contrasts))


def noise_of(dice: np.random.Generator, noise: Noise, period: Period) -> np.ndarray:
    """A series with mean 0 and deviation 1, apart from the weekday cycle of days."""
    fresh = dice.normal(size=POINTS[period])
    if noise.degrees:
        fresh = dice.standard_t(noise.degrees, size=POINTS[period]) / np.sqrt(
            noise.degrees / (noise.degrees - 2)
        )
    values = fresh.copy()
    for place in range(1, len(values)):
        share = noise.correlation
        values[place] = share * values[place - 1] + fresh[place] * np.sqrt(1 - share**2)
    if period is Period.DAILY:
        values += noise.weekday * np.sin(np.arange(len(values)) % 7)
    return values


def main(arguments: list[str]) -> None:
    """Simulate, and print the table of ``docs/insights.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks --null-signals")
    parser.add_argument("--reports", type=int, default=1000, help="reports of each kind")
    reports = parser.parse_args(arguments).reports
    print(f"{reports} reports of {len(HEALTH)} figures on noise, of each kind; shares of reports\n")
    print("| history | noise | tests a report | rules alone | told | ms a report |")
    print("|---|---|---|---|---|---|")
    for period, points in POINTS.items():
        for noise in NOISES:
            if noise.weekday and period is not Period.DAILY:
                continue
            print(f"| {points} {period} points | {noise.name} {_row(period, noise, reports)}", flush=True)
    for name, degrees in (("independent", 0.0), ("heavy tails (t, 3 degrees)", 3.0)):
        print(
            f"| {len(PEOPLE_OF_DEVICES)} devices of a month | {name} {_devices_row(degrees, reports)}",
            flush=True,
        )


def _row(period: Period, noise: Noise, reports: int) -> str:
    dice = np.random.default_rng(2024)
    alone = told = tests = 0
    seconds = 0.0
    for _ in range(reports):
        evidence = null_evidence(dice, noise, period)
        window = evidence.tracked[0].current.window
        started = time.perf_counter()
        found = search(evidence, window=window, as_of=None)
        seconds += time.perf_counter() - started
        told += bool(found.insights)
        tests = found.tests
        every = (one for tracked in evidence.tracked for one in find(tracked, window=window))
        alone += any(one.is_signal and one.rule in CHART_RULES for one in every)
    return f"| {tests} | {alone / reports:.1%} | {told / reports:.1%} | {1000 * seconds / reports:.0f} |"


def _devices_row(degrees: float, reports: int) -> str:
    dice = np.random.default_rng(2024)
    told = tests = 0
    seconds = 0.0
    for _ in range(reports):
        evidence = null_devices(dice, degrees)
        window = evidence.contrasts[0].own.window
        started = time.perf_counter()
        found = search(evidence, window=window, as_of=None)
        seconds += time.perf_counter() - started
        told += bool(found.insights)
        tests = found.tests
    return f"| {tests} | | {told / reports:.1%} | {1000 * seconds / reports:.0f} |"
