"""The values that every measure has in some rows, without the pipeline.

A *value* is what a measure counts once: a reading, an hour of activity, a night. Hours and days have values of
their own (``Values``), because a device's own total of a day stands for its hours. No sums are made here: who
has the values can sum them up over any period at once, and that must be what the pipeline rolls up in steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from healthmate_bi_pipeline.catalog.readings import METRICS
from healthmate_bi_pipeline_tests.journeys.rolling_rows import ACTIVITY, RANKS, Rows

ORDERED = ("weight", "height")
COLUMNS = ["user_id", "measure", "item", "at", "value", "order", "implausible"]


@dataclass(frozen=True)
class Values:
    """What the measures of hours, and those of days and longer, are made from.

    Columns: user_id, measure, item, at, value, order (of readings whose order counts), implausible.
    """

    of_hours: pd.DataFrame
    of_days: pd.DataFrame


def values_of(rows: Rows) -> Values:
    """All values of all measures."""
    readings = _counted_readings(rows.readings)
    hours = _hours_of_activity(rows.activity)
    totals = _totals_that_count(rows.activity, hours)
    replaced = pd.MultiIndex.from_frame(totals[["user_id", "measure", "day"]])
    rest = hours[~pd.MultiIndex.from_frame(hours[["user_id", "measure", "day"]]).isin(replaced)]
    nights = _counted_nights(rows.sleep)
    days = pd.concat([totals, _nights(nights), _doses(rows.doses), _fills(rows.doses)])
    days = days.assign(at=lambda frame: frame["day"])
    logs = _logs(rows.symptoms)
    sorted_ones = pd.concat([*_sorted_glucose(readings), _pressures(readings), *_symptoms(rows.symptoms)])
    # A source whose hours a total replaced is still counted: the hours rest on it.
    used = pd.concat([readings[[*COLUMNS, "source"]], logs, hours])
    natives = [_resting_heart_rates(readings), _sleep_agreement(rows.sleep, nights)]
    plain = pd.concat([readings[COLUMNS], logs, sorted_ones])
    return Values(
        _shaped(pd.concat([plain, hours, _sources(used)])),
        _shaped(pd.concat([plain, rest, days, *natives, _sources(pd.concat([used, days]))])),
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


def _counted_nights(sleep: pd.DataFrame) -> pd.DataFrame:
    """Of each wake date the nights and the naps of one source: the best rank, then the longest, then the name."""
    timed = sleep["asleep_minutes"].where(sleep["in_bed_minutes"].notna())
    rows = sleep.assign(day=sleep["ended_at"].dt.normalize(), timed=timed)
    keys = ["user_id", "source", "day", "is_nap"]
    sums = rows.groupby(keys)[["asleep_minutes", "timed", "in_bed_minutes"]].sum(min_count=1).reset_index()
    sums = sums.assign(rank=sums["source"].map(RANKS), shorter=-sums["asleep_minutes"])
    return _best(sums, ["user_id", "day", "is_nap"], by=["rank", "shorter", "source"])


def _nights(best: pd.DataFrame) -> pd.DataFrame:
    names = {"asleep_minutes": "sleep_minutes", "timed": "sleep_timed_minutes"}
    night = best[~best["is_nap"]].rename(columns=names).melt(
        ["user_id", "source", "day"], [*names.values(), "in_bed_minutes"], var_name="measure"
    )  # fmt: skip
    nap = best[best["is_nap"]].assign(measure="nap_minutes", value=best["asleep_minutes"])
    both = pd.concat([night, nap[["user_id", "source", "day", "measure", "value"]]])
    return both.dropna(subset="value").assign(item="")


def _sleep_agreement(sleep: pd.DataFrame, best: pd.DataFrame) -> pd.DataFrame:
    """Minute by minute from noon to noon: as many as are slept, or woken through, like those a day before."""
    asleep: dict[tuple[int, pd.Timestamp], np.ndarray] = {}
    of_nights = sleep[~sleep["is_nap"]].assign(day=sleep["ended_at"].dt.normalize())
    for row in of_nights.merge(best[~best["is_nap"]][["user_id", "source", "day"]]).itertuples():
        minutes = asleep.setdefault((row.user_id, row.day), np.zeros(1440, dtype=bool))
        noon = row.day - pd.Timedelta(hours=12)
        begin, end = (int((at - noon) / pd.Timedelta(minutes=1)) for at in (row.started_at, row.ended_at))
        minutes[max(begin, 0) : max(end, 0)] = True
    found = [
        {
            "user_id": person,
            "measure": "sleep_agreement",
            "at": day,
            "value": float((minutes == before).sum()),
        }
        for (person, day), minutes in asleep.items()
        if (before := asleep.get((person, day - pd.Timedelta(days=1)))) is not None
    ]
    return pd.DataFrame(found)


def _sorted_glucose(readings: pd.DataFrame) -> list[pd.DataFrame]:
    """Glucose by circumstances, and by band of whole mg/dL."""
    glucose = readings[readings["metric"] == "blood_glucose"].assign(order=None, implausible=None)
    is_cgm = glucose["context"] == "cgm"
    bands = pd.cut(
        np.floor(glucose["value"] + 0.5), [0, 54, 70, 181, 251, 10_000], right=False,
        labels=["below_54", "54_to_69", "70_to_180", "181_to_250", "above_250"],
    ).astype(str)  # fmt: skip
    banded = glucose.assign(item=bands, value=np.nan)
    return [
        part[COLUMNS]
        for part in (
            glucose[glucose["context"] == "fasting"].assign(measure="fasting_glucose"),
            glucose[is_cgm].assign(measure="cgm_glucose"),
            banded[~is_cgm].assign(measure="glucose_band"),
            banded[is_cgm].assign(measure="cgm_band"),
        )
    ]


def _pressures(readings: pd.DataFrame) -> pd.DataFrame:
    """The category of each systolic reading that has its diastolic one."""
    upper, lower = (
        readings[(readings["metric"] == f"blood_pressure_{half}") & readings["reading_id"].notna()]
        for half in ("systolic", "diastolic")
    )
    pairs = upper.merge(lower[["reading_id", "value"]], on="reading_id", suffixes=("", "_lower"))
    systolic, diastolic = pairs["value"], pairs["value_lower"]
    category = np.select(
        [
            (systolic > 180) | (diastolic > 120),
            (systolic >= 140) | (diastolic >= 90),
            (systolic >= 130) | (diastolic >= 80),
            systolic >= 120,
        ],
        ["severe", "stage_2", "stage_1", "elevated"],
        "normal",
    )
    named = pairs.assign(measure="blood_pressure_category", item=category, value=np.nan)
    return named.assign(order=None, implausible=None)[COLUMNS]


def _logs(symptoms: pd.DataFrame) -> pd.DataFrame:
    logs = symptoms.assign(measure="symptoms", item="", at=symptoms["recorded_at"], value=np.nan)
    return logs[["user_id", "measure", "item", "at", "value", "source"]]


def _symptoms(symptoms: pd.DataFrame) -> list[pd.DataFrame]:
    logs = _logs(symptoms).drop(columns="source")
    severe = logs.assign(measure="symptom_severity", value=symptoms["severity"]).dropna(subset="value")
    return [logs.assign(measure="symptom", item=symptoms["symptom"]), severe]


def _doses(doses: pd.DataFrame) -> pd.DataFrame:
    """Six numbers of each day with doses: of what was planned, once each, and of what was taken beside it."""
    found = []
    rows = doses[doses["status"] != "filled"]
    day = rows["scheduled_at"].fillna(rows["taken_at"]).dt.normalize()
    for (person, of_day), mine in rows.groupby(["user_id", day]):
        is_planned = mine["scheduled_at"].notna() & ~mine["is_as_needed"].astype(bool)
        planned = mine[is_planned].groupby(["medication", "scheduled_at"])["status"].agg(list).tolist()
        beside = mine[~is_planned]
        taken = sum("taken" in statuses for statuses in planned)
        skipped = sum("taken" not in statuses and "skipped" in statuses for statuses in planned)
        numbers = {
            "doses_scheduled": len(planned),
            "doses_taken": taken,
            "doses_skipped": skipped,
            "doses_unlogged": len(planned) - taken - skipped,
            "doses_extra": sum(max(statuses.count("taken") - 1, 0) for statuses in planned)
            + int((~beside["is_as_needed"].astype(bool)).sum()),
            "doses_as_needed": int(beside["is_as_needed"].astype(bool).sum()),
        }
        found += [
            {
                "user_id": person,
                "day": of_day,
                "measure": name,
                "value": number,
                "source": "phone",
                "item": "",
            }
            for name, number in numbers.items()
        ]
    return pd.DataFrame(found)


def _fills(doses: pd.DataFrame) -> pd.DataFrame:
    fills = doses[doses["status"] == "filled"]
    day = fills["filled_at"].dt.normalize()
    drug_class = fills["medication_class"].fillna(fills["medication"])
    item = drug_class + "\x1f" + fills["medication"] + "\x1f" + day.dt.strftime("%Y-%m-%d")
    named = fills.assign(measure="medication_fill", day=day, item=item, value=fills["days_supply"])
    return named[["user_id", "day", "measure", "item", "value", "source"]]
