"""Rows of every kind for a year and a bit: several devices at once, gaps, and the edges of all periods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from healthmate_bi_pipeline.catalog.readings import METRICS

FIRST, LAST = pd.Timestamp(2023, 12, 25), pd.Timestamp(2025, 1, 8)
EDGES = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-31", "2024-04-01", "2024-12-30", "2025-01-01")
PEOPLE = (1, 2, 3)
RANKS = {"clinic": 1, "watch a": 2, "watch b": 2, "phone": 3, "diary": 4}
ACTIVITY = (
    "steps",
    "calories_kcal",
    "moderate_minutes",
    "vigorous_minutes",
    "distance_m",
    "intensity_points",
)
UNSUSPICIOUS = {"weight": (100, 200), "blood_glucose": (34, 520)}  # nothing that looks like another unit
Row = dict[str, object]


@dataclass(frozen=True)
class Rows:
    """The rows of the landing files."""

    readings: pd.DataFrame
    activity: pd.DataFrame
    sleep: pd.DataFrame
    symptoms: pd.DataFrame
    doses: pd.DataFrame


def random_rows(seed: int) -> Rows:
    """Some days of some people, with several devices at once, gaps, and the edges of all periods."""
    random = np.random.default_rng(seed)
    weeks = random.choice((LAST - FIRST).days, 6, replace=False)
    some = [FIRST + pd.Timedelta(days=int(first) + number) for first in weeks for number in range(8)]
    days = sorted({*(day for day in some if day < LAST), *(pd.Timestamp(day) for day in EDGES)})
    keys = [(person, day) for person in PEOPLE for day in days if random.random() < 0.8]
    made = [
        pd.DataFrame([row for key in keys for row in make(random, *key)])
        for make in (_readings, _activity, _sleep, _symptoms, _doses)
    ]
    readings, activity, sleep, symptoms, doses = made
    return Rows(
        readings.drop_duplicates(["user_id", "metric", "recorded_at", "source"]),
        activity.drop_duplicates(["user_id", "source", "started_at", "ended_at"]),
        sleep.drop_duplicates(["user_id", "source", "started_at"]),
        symptoms.drop_duplicates(["user_id", "symptom", "recorded_at"]),
        doses.drop_duplicates(["user_id", "medication", "scheduled_at", "taken_at", "filled_at"]),
    )


def _readings(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[Row]:
    def reading(metric: str, unit: str, value: float, at: pd.Timestamp, source: str, **more: object) -> Row:
        return {
            "user_id": person, "metric": metric, "unit": unit, "value": round(value, 2),
            "recorded_at": at, "source": source, **more,
        }  # fmt: skip

    for metric in METRICS:
        low, high = metric.soft
        margin = 0.05 * (high - low)  # some are not plausible, all are possible
        low, high = max(low - margin, metric.hard[0]), min(high + margin, metric.hard[1])
        low, high = UNSUSPICIOUS.get(metric.code, (low, high))
        contexts = ["", "fasting", "after_meal", "cgm"] if metric.code == "blood_glucose" else [""]
        for _ in range(random.integers(0, 4)):
            at = day + pd.Timedelta(seconds=int(random.integers(0, 86_400)))
            for source in random.choice(list(RANKS), random.integers(1, 4), replace=False):
                moved = at.floor("min") + pd.Timedelta(seconds=int(random.integers(0, 60)))
                value, context = float(random.uniform(low, high)), str(random.choice(contexts))
                yield reading(metric.code, metric.unit, value, moved, str(source), context=context)
    for number in range(random.integers(0, 4)):
        at = day + pd.Timedelta(minutes=int(random.integers(0, 1440)))
        upper, lower = sorted((float(random.uniform(60, 128)), float(random.uniform(100, 190))), reverse=True)
        for source in random.choice(["clinic", "phone"], random.integers(1, 3), replace=False):
            named = {"reading_id": f"{person} {day:%y%m%d} {number} {source}"}
            yield reading("blood_pressure_systolic", "mmHg", upper + 1, at, str(source), **named)
            if random.random() < 0.9:
                yield reading("blood_pressure_diastolic", "mmHg", lower, at, str(source), **named)
    if random.random() < 0.5:
        for minute in range(170, 430):  # the early morning, with gaps that break half hours
            if random.random() < 0.45:
                at = day + pd.Timedelta(minutes=minute)
                yield reading("heart_rate", "bpm", float(random.uniform(45, 70)), at, "watch a")


def _activity(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[Row]:
    def amounts(scale: float) -> dict[str, float | None]:
        found: dict[str, float | None] = {
            "steps": float(random.integers(0, 4000 * scale)),
            "calories_kcal": round(float(random.uniform(0, 300 * scale)), 1),
            "moderate_minutes": float(random.integers(0, 2)),
            "vigorous_minutes": float(random.integers(0, 3)),
            "distance_m": round(float(random.uniform(0, 3000 * scale)), 3),
            "intensity_points": float(random.integers(0, 100 * scale)),
        }
        left_out = random.choice(ACTIVITY, random.integers(0, 4), replace=False)
        return found | dict.fromkeys(map(str, left_out))

    for source in random.choice(
        ["watch a", "watch b", "phone", "diary"], random.integers(0, 4), replace=False
    ):
        for _ in range(random.integers(1, 6)):
            hour = pd.Timedelta(hours=int(random.integers(0, 24)))
            start, length = day + hour, pd.Timedelta(hours=1)
            if random.random() < 0.4:
                start = start + pd.Timedelta(minutes=int(random.integers(0, 60)))
                length = pd.Timedelta(minutes=int(random.integers(5, 170)))
            yield {
                "user_id": person, "source": str(source), "started_at": start, "ended_at": start + length,
                "is_daily_total": False, **amounts(1),
            }  # fmt: skip
        if random.random() < 0.4:
            yield {
                "user_id": person, "source": str(source), "started_at": day,
                "ended_at": day + pd.Timedelta(days=1), "is_daily_total": True, **amounts(5),
            }  # fmt: skip


def _sleep(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[Row]:
    for source in random.choice(["watch a", "watch b", "phone"], random.integers(0, 3), replace=False):
        for start, length, is_nap in ((-2.0, 4.0, False), (2.5, 5.0, False), (13.0, 1.5, True)):
            if random.random() < 0.3:
                continue
            asleep = float(random.integers(20, int(length * 50)))
            begin = day + pd.Timedelta(hours=start)
            yield {
                "user_id": person, "source": str(source), "started_at": begin,
                "ended_at": begin + pd.Timedelta(hours=length), "asleep_minutes": asleep,
                "in_bed_minutes": asleep + 10 if random.random() < 0.7 else None, "is_nap": is_nap,
            }  # fmt: skip


def _symptoms(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[Row]:
    for _ in range(random.integers(0, 5)):
        yield {
            "user_id": person, "symptom": str(random.choice(["headache", "nausea", "dizziness"])),
            "severity": None if random.random() < 0.3 else int(random.integers(0, 11)),
            "recorded_at": day + pd.Timedelta(minutes=int(random.integers(0, 1440))),
            "source": str(random.choice(["phone", "diary"])),
        }  # fmt: skip


def _doses(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[Row]:
    def dose(medication: str, **more: object) -> Row:
        nothing = dict.fromkeys(("medication_class", "scheduled_at", "taken_at", "filled_at", "days_supply"))
        return (
            {"user_id": person, "medication": medication, "is_as_needed": False, "source": "phone"}
            | nothing
            | more
        )

    def at(hour: float) -> pd.Timestamp:
        return day + pd.Timedelta(hours=hour)

    for medication in ("metformin", "lisinopril"):
        for hour in (8, 20):
            if random.random() < 0.7:
                status = str(random.choice(["taken", "taken", "skipped", "unlogged"]))
                taken = at(hour + 0.25) if status == "taken" else None
                yield dose(medication, scheduled_at=at(hour), taken_at=taken, status=status)
                if random.random() < 0.2:  # and again
                    yield dose(medication, scheduled_at=at(hour), taken_at=at(hour + 0.5), status="taken")
    if random.random() < 0.3:
        yield dose("metformin", taken_at=at(15), status="taken")
    if random.random() < 0.3:
        yield dose("ibuprofen", taken_at=at(16), status="taken", is_as_needed=True)
    if random.random() < 0.2:
        drug_class = "ace inhibitors" if random.random() < 0.5 else None
        supply = int(random.integers(7, 91))
        yield dose(
            "lisinopril", filled_at=at(11), status="filled", days_supply=supply, medication_class=drug_class
        )
