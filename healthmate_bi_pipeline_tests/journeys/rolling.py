"""Rows of every kind for a year and a bit, and the values that every measure has in them, without the pipeline.

A *value* is what a measure counts once: a reading, an hour of activity, a night. Hours and days have values of
their own (``Values``), because a device's own total of a day stands for its hours. No sums are made here: who
has the values can sum them up over any period at once, and that must be what the pipeline rolls up in steps.
"""

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
ORDERED = ("weight", "height")
COLUMNS = ["user_id", "measure", "item", "at", "value", "order", "implausible"]


@dataclass(frozen=True)
class Rows:
    """The rows of the landing files."""

    readings: pd.DataFrame
    activity: pd.DataFrame
    sleep: pd.DataFrame


@dataclass(frozen=True)
class Values:
    """What the measures of hours, and those of days and longer, are made from.

    Columns: user_id, measure, item, at, value, order (of readings whose order counts), implausible.
    """

    of_hours: pd.DataFrame
    of_days: pd.DataFrame


def random_rows(seed: int) -> Rows:
    """Some days of some people, with several devices at once, gaps, and the edges of all periods."""
    random = np.random.default_rng(seed)
    some = FIRST + pd.to_timedelta(random.choice((LAST - FIRST).days, 40, replace=False), unit="D")
    days = sorted({*some, *(pd.Timestamp(day) for day in EDGES)})
    keys = [(person, day) for person in PEOPLE for day in days if random.random() < 0.8]
    readings = [row for key in keys for row in _readings(random, *key)]
    activity = [row for key in keys for row in _activity(random, *key)]
    sleep = [row for key in keys for row in _sleep(random, *key)]
    return Rows(
        pd.DataFrame(readings).drop_duplicates(["user_id", "metric", "recorded_at", "source"]),
        pd.DataFrame(activity).drop_duplicates(["user_id", "source", "started_at", "ended_at"]),
        pd.DataFrame(sleep).drop_duplicates(["user_id", "source", "started_at"]),
    )


def _readings(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[dict[str, object]]:
    def reading(metric: str, unit: str, value: float, at: pd.Timestamp, source: str) -> dict[str, object]:
        return {
            "user_id": person, "metric": metric, "unit": unit, "value": round(value, 2),
            "recorded_at": at, "source": source,
        }  # fmt: skip

    for metric in METRICS:
        low, high = metric.soft
        margin = 0.05 * (high - low)  # some are not plausible, all are possible
        low, high = max(low - margin, metric.hard[0]), min(high + margin, metric.hard[1])
        for _ in range(random.integers(0, 4)):
            at = day + pd.Timedelta(seconds=int(random.integers(0, 86_400)))
            for source in random.choice(list(RANKS), random.integers(1, 4), replace=False):
                moved = at.floor("min") + pd.Timedelta(seconds=int(random.integers(0, 60)))
                yield reading(metric.code, metric.unit, float(random.uniform(low, high)), moved, str(source))
    if random.random() < 0.5:
        for minute in range(170, 430):  # the early morning, with gaps that break half hours
            if random.random() < 0.45:
                at = day + pd.Timedelta(minutes=minute)
                yield reading("heart_rate", "bpm", float(random.uniform(45, 70)), at, "watch a")


def _activity(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[dict[str, object]]:
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


def _sleep(random: np.random.Generator, person: int, day: pd.Timestamp) -> Iterator[dict[str, object]]:
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


def values_of(rows: Rows) -> Values:
    """All values of all measures."""
    readings = _counted_readings(rows.readings)
    hours = _hours_of_activity(rows.activity)
    totals = _totals_that_count(rows.activity, hours)
    replaced = pd.MultiIndex.from_frame(totals[["user_id", "measure", "day"]])
    rest = hours[~pd.MultiIndex.from_frame(hours[["user_id", "measure", "day"]]).isin(replaced)]
    days = pd.concat([totals, _nights(rows.sleep)]).assign(at=lambda frame: frame["day"])
    plain = readings[[*COLUMNS, "source"]]
    of_hours = pd.concat([plain, hours])
    of_days = pd.concat([plain, rest, days])
    return Values(
        _shaped(pd.concat([of_hours, _sources(of_hours)])),
        # A source whose hours a total replaced is still counted: the hours rest on it.
        _shaped(pd.concat([of_days, _resting_heart_rates(readings), _sources(pd.concat([of_hours, days]))])),
    )


def _shaped(values: pd.DataFrame) -> pd.DataFrame:
    values = values.reindex(columns=COLUMNS).reset_index(drop=True)
    return values.assign(item=values["item"].fillna(""), value=values["value"].astype(float))


def _sources(values: pd.DataFrame) -> pd.DataFrame:
    """What each value rests on: a member of a set and no amount."""
    return values.assign(measure="source", item=values["source"], value=np.nan, order=None, implausible=None)


def _best(rows: pd.DataFrame, slot: list[str], *, by: list[str]) -> pd.DataFrame:
    """Of each slot the row that comes first."""
    return rows.sort_values(by).drop_duplicates(slot)


def _counted_readings(readings: pd.DataFrame) -> pd.DataFrame:
    """Of each metric and minute the readings of one source: the best rank, then the most readings, then the name."""
    rows = readings.assign(minute=readings["recorded_at"].dt.floor("min"), rank=readings["source"].map(RANKS))
    slot = ["user_id", "metric", "minute"]
    sources = rows.groupby([*slot, "source", "rank"], as_index=False).size()
    best = _best(sources.assign(fewer=-sources["size"]), slot, by=["rank", "fewer", "source"])
    counted = rows.merge(best[[*slot, "source"]], on=[*slot, "source"])
    soft = {metric.code: metric.soft for metric in METRICS}
    low, high = (counted["metric"].map({code: pair[end] for code, pair in soft.items()}) for end in (0, 1))
    order = counted["recorded_at"].astype(str) + counted["source"]
    return counted.assign(
        measure=counted["metric"],
        item="",
        at=counted["recorded_at"],
        order=order.where(counted["metric"].isin(ORDERED), None),
        implausible=~counted["value"].between(low, high),
    )


def _resting_heart_rates(readings: pd.DataFrame) -> pd.DataFrame:
    """The lowest mean of half an hour between 3 and 7 that begins at a whole five minutes and has no gap."""
    found = []
    beats = readings[readings["metric"] == "heart_rate"]
    for (person, day), rows in beats.groupby(["user_id", beats["at"].dt.normalize()]):
        means = []
        for begin in range(180, 420 - 25, 5):
            start = day + pd.Timedelta(minutes=begin)
            inside = rows[(rows["at"] >= start) & (rows["at"] < start + pd.Timedelta(minutes=30))]
            if inside["at"].dt.floor("5min").nunique() == 6:
                means.append(inside["value"].mean())
        if means:
            found.append({"user_id": person, "measure": "resting_heart_rate", "at": day, "value": min(means)})
    return pd.DataFrame(found)


def _with_exercise(wide: pd.DataFrame) -> pd.DataFrame:
    both = wide[["moderate_minutes", "vigorous_minutes"]]
    return wide.assign(exercise_minutes=both.sum(axis=1, min_count=1))


def _long(wide: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """One row per measure that has a value."""
    measures = [*ACTIVITY, "exercise_minutes"]
    return wide.melt(keys, measures, var_name="measure", value_name="value").dropna(subset="value")


def _hours_of_activity(activity: pd.DataFrame) -> pd.DataFrame:
    """Of each measure and hour the sum of one source: the best rank, then the longest time, then the name."""
    pieces = []
    for row in activity[~activity["is_daily_total"]].itertuples():
        length = (row.ended_at - row.started_at).total_seconds()
        for hour in pd.date_range(row.started_at.floor("h"), row.ended_at, freq="h"):
            until = min(hour + pd.Timedelta(hours=1), row.ended_at)
            seconds = (until - max(hour, row.started_at)).total_seconds()
            if seconds > 0:
                share = {name: getattr(row, name) * seconds / length for name in ACTIVITY}
                pieces.append(
                    {"user_id": row.user_id, "source": row.source, "at": hour, "seconds": seconds, **share}
                )
    keys = ["user_id", "source", "at"]
    amounts = pd.DataFrame(pieces).groupby(keys)[["seconds", *ACTIVITY]].sum(min_count=1).reset_index()
    wide = _with_exercise(amounts).assign(rank=amounts["source"].map(RANKS), shorter=-amounts["seconds"])
    long = _long(wide, [*keys, "rank", "shorter"])
    best = _best(long, ["user_id", "measure", "at"], by=["rank", "shorter", "source"])
    return best.assign(item="", day=best["at"].dt.normalize())


def _totals_that_count(activity: pd.DataFrame, hours: pd.DataFrame) -> pd.DataFrame:
    """Of each measure and day the best total, unless a better source made an hour of it."""
    totals = activity[activity["is_daily_total"]].assign(day=lambda rows: rows["started_at"])
    wide = _with_exercise(totals).assign(rank=totals["source"].map(RANKS))
    long = _long(wide, ["user_id", "source", "day", "rank"]).assign(smaller=lambda rows: -rows["value"])
    slot = ["user_id", "measure", "day"]
    best = _best(long, slot, by=["rank", "smaller", "source"])
    hourly = hours.groupby(slot)["rank"].min().rename("hourly_rank")
    joined = best.join(hourly, on=slot)
    counted = joined[joined["hourly_rank"].isna() | (joined["rank"] <= joined["hourly_rank"])]
    return counted.assign(item="")


def _nights(sleep: pd.DataFrame) -> pd.DataFrame:
    """Of each wake date the nights and the naps of one source: the best rank, then the longest, then the name."""
    timed = sleep["asleep_minutes"].where(sleep["in_bed_minutes"].notna())
    rows = sleep.assign(day=sleep["ended_at"].dt.normalize(), timed=timed)
    keys = ["user_id", "source", "day", "is_nap"]
    sums = rows.groupby(keys)[["asleep_minutes", "timed", "in_bed_minutes"]].sum(min_count=1).reset_index()
    sums = sums.assign(rank=sums["source"].map(RANKS), shorter=-sums["asleep_minutes"])
    best = _best(sums, ["user_id", "day", "is_nap"], by=["rank", "shorter", "source"])
    names = {"asleep_minutes": "sleep_minutes", "timed": "sleep_timed_minutes"}
    night = best[~best["is_nap"]].rename(columns=names).melt(
        ["user_id", "source", "day"], [*names.values(), "in_bed_minutes"], var_name="measure"
    )  # fmt: skip
    nap = best[best["is_nap"]].assign(measure="nap_minutes", value=best["asleep_minutes"])
    both = pd.concat([night, nap[["user_id", "source", "day", "measure", "value"]]])
    return both.dropna(subset="value").assign(item="")
