"""Figures over time for the tests of insights: seeded noise, into which a test plants what is to be found."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence
from healthmate_bi_pipeline.reporting.evidence import Evidence, Sample, Tracked
from healthmate_bi_pipeline.reporting.insights import search

STEPS = "avg_steps_per_day"
AS_OF = datetime(2026, 4, 5, 20)
WEEKEND = np.array([0.0, 0, 0, 0, 0, 1500, 2500])
"""What weekdays add to steps, from Monday; ten times the noise."""


def windows(count, *, period=Period.DAILY, start=datetime(2026, 1, 5)):
    made = []
    for _ in range(count):
        made.append(Window(start, period.next(start)))
        start = period.next(start)
    return made


def noise(count, *, level=8000.0, deviation=300.0, seed=0, cycle=True):
    values = level + np.random.default_rng(seed).normal(size=count) * deviation
    return values + (np.resize(WEEKEND, count) if cycle else 0)


def samples(values, *, period=Period.DAILY, people=500, start=datetime(2026, 1, 5)):
    """Points of a history; not a number is a gap."""
    return tuple(
        Sample(window, Absence.NO_DATA if np.isnan(value) else float(value), people)
        for window, value in zip(windows(len(values), period=period, start=start), values, strict=True)
    )


def tracked(values, *, figure=STEPS, period=Period.DAILY, **changes):
    history = samples(values, period=period)
    given = {"figure": figure, "period": period, "history": history, "current": history[-1]} | changes
    return Tracked(**given)


def looked(*figures, facts=(), window=None):
    window = window or figures[0].current.window
    return search(Evidence(tuple(figures), tuple(facts)), window=window, as_of=AS_OF)
