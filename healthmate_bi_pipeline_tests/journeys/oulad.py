"""Clicks of real students as app events, and what an analyst would count of them in pandas.

Open University Learning Analytics Dataset: Kuzilek, Hlosta & Zdrahal (2017), Scientific Data 4:170171 (CC BY 4.0).
3,061 students in five presentations of two modules. A day is a number without a calendar, counted from the start of
the presentation: day 0 is taken for the 1st of October 2013. A row is some clicks on one page on one day; equal rows
are separate clicks. No time of the day is told: noon is written, without an offset, so that the day is the student's.

Everything below is counted with sets and shifts of pandas, by other means than the pipeline's.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from healthmate_bi_pipeline.domain.identity import foreign_user_id
from healthmate_bi_pipeline_tests.comparing import FREQUENCY
from healthmate_bi_pipeline_tests.running import SHARED_DATA

OULAD = SHARED_DATA / "oulad"
FIRST_DAY = date(2013, 10, 1)


def read_clicks() -> pd.DataFrame:
    """All clicks: user_id, day, page (the kind of site), count, presentation."""
    parts = []
    for path in sorted((OULAD / "studentVle_ds").rglob("*.parquet")):
        module, presentation = (folder.name.partition("=")[2] for folder in (path.parents[1], path.parent))
        # One file alone: its folders say the module, and pandas would read them as columns.
        with path.open("rb") as file:
            parts.append(pd.read_parquet(file).assign(presentation=f"{module} {presentation}"))
    rows = pd.concat(parts, ignore_index=True)
    sites = pd.read_parquet(OULAD / "vle.parquet").set_index("id_site")["activity_type"]
    students = rows["id_student"].astype("int64")
    numbers = {student: foreign_user_id("oulad", str(student)) for student in students.unique()}
    return pd.DataFrame(
        {
            "user_id": students.map(numbers),
            "day": pd.Timestamp(FIRST_DAY) + pd.to_timedelta(rows["date"], unit="D"),
            "page": rows["id_site"].map(sites),
            "count": rows["sum_click"].astype("int64"),
            "presentation": rows["presentation"],
        }
    )


def app_events(clicks: pd.DataFrame) -> pd.DataFrame:
    """The clicks as rows of the dataset ``app_events``."""
    return pd.DataFrame(
        {
            "user_id": clicks["user_id"],
            "event": "page_view",
            "name": clicks["page"],
            "occurred_at": clicks["day"].dt.strftime("%Y-%m-%d 12:00:00"),
            "count": clicks["count"],
            "source": "virtual learning environment",
        }
    )


def active_intervals(clicks: pd.DataFrame, period: str) -> pd.DataFrame:
    """Each interval in which each student was active, once: user_id, number (of the interval), start."""
    of = clicks["day"].dt.to_period(FREQUENCY[period])
    intervals = pd.DataFrame({"user_id": clicks["user_id"], "start": of.dt.start_time, "interval": of})
    intervals = intervals.drop_duplicates(["user_id", "start"]).sort_values(["user_id", "start"])
    number = intervals["interval"].map(lambda interval: interval.ordinal)
    return intervals.assign(number=number.astype("int64")).drop(columns="interval").reset_index(drop=True)


def end_of(start: pd.Series, period: str) -> pd.Series:
    """The exclusive end of the interval that each start begins."""
    end: pd.Series = (start.dt.to_period(FREQUENCY[period]) + 1).dt.start_time
    return end


def stages(clicks: pd.DataFrame, period: str, *, ended: pd.Timestamp) -> pd.Series:
    """The stage of the lifecycle, by user_id and start; nobody is dormant in an interval that is not over.

    Args:
        clicks: all of them.
        period: of the intervals.
        ended: intervals that end by then are over.
    """
    active = active_intervals(clicks, period)
    by_person = active.groupby("user_id")["number"]
    since, until = active["number"] - by_person.shift(), by_person.shift(-1) - active["number"]
    stage = since.map(lambda gap: "new" if pd.isna(gap) else "returning" if gap == 1 else "resurrecting")
    left = active[until != 1]
    left = left.assign(start=end_of(left["start"], period), stage="dormant")
    left = left[end_of(left["start"], period) <= ended]
    rows = pd.concat([active.assign(stage=stage), left])
    return rows.set_index(["user_id", "start"])["stage"].sort_index()


def trailing_users(clicks: pd.DataFrame, days: int) -> pd.Series:
    """Distinct students of the ``days`` days that end with each day, by day."""
    active = clicks[["user_id", "day"]].drop_duplicates()
    last = active["day"].max()
    counted_on = pd.concat([active.assign(day=active["day"] + pd.Timedelta(days=k)) for k in range(days)])
    found = counted_on[counted_on["day"] <= last].groupby("day")["user_id"].nunique()
    return found.reindex(pd.date_range(active["day"].min(), last), fill_value=0)


def days_of_activity(clicks: pd.DataFrame, last: pd.Timestamp, days: int) -> pd.Series:
    """How many students were active on exactly 1, 2, … of the ``days`` days that end with ``last``."""
    window = clicks[(clicks["day"] <= last) & (clicks["day"] > last - pd.Timedelta(days=days))]
    counts = window.groupby("user_id")["day"].nunique().value_counts()
    return counts.reindex(range(1, days + 1), fill_value=0)


def retention(clicks: pd.DataFrame, period: str, *, ended: pd.Timestamp) -> pd.DataFrame:
    """By cohort (start) and interval since: people of the cohort, and how many of them were active.

    Args:
        clicks: all of them.
        period: of the intervals.
        ended: intervals that end by then are over; others have no cell.
    """
    active = active_intervals(clicks, period)
    first = active.groupby("user_id")[["number", "start"]].min().add_prefix("first_")
    active = active.join(first, on="user_id")
    cells = (
        active.assign(interval=active["number"] - active["first_number"])
        .groupby(["first_start", "interval"])["user_id"]
        .nunique()
    )
    over = pd.period_range(active["start"].min(), ended - pd.Timedelta(1, "ns"), freq=FREQUENCY[period])
    over = over[(over + 1).start_time <= ended]
    sizes = first.groupby("first_start").size()
    keys = [
        (start, interval)
        for start, number in first.groupby("first_start")["first_number"].first().items()
        for interval in range(over[-1].ordinal - number + 1)
    ]
    index = pd.MultiIndex.from_tuples(keys, names=["cohort", "interval"])
    table = pd.DataFrame({"active": cells.reindex(index, fill_value=0)}, index=index)
    return table.assign(people=sizes.reindex(index.get_level_values("cohort")).to_numpy())


def weekly_patterns(clicks: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """What BG/BB knows of each student at the end of a week: active, last_active, opportunities, by user_id.

    Args:
        clicks: all of them; those from ``end`` on are not known yet.
        end: a Monday. The weeks after the student's first one are the opportunities.
    """
    active = active_intervals(clicks[clicks["day"] < end], "weekly")
    first = active.groupby("user_id")["number"].transform("min")
    since = active["number"] - first
    rows = (
        active.assign(since=since)
        .groupby("user_id")["since"]
        .agg(active=lambda s: (s > 0).sum(), last_active="max")
    )
    weeks = (end - active.groupby("user_id")["start"].min()) // pd.Timedelta(days=7) - 1
    return rows.assign(opportunities=weeks)
