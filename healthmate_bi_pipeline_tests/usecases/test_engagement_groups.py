"""What belongs to groups, against the plain definitions computed from one table of people by days."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.lake_tables import ACTIVE_DAYS, CHURN_FITS
from healthmate_bi_pipeline.catalog.reports import USER_ENGAGEMENT
from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.domain.calibration import brier_score, deciles, predicted_by_silence
from healthmate_bi_pipeline.domain.lifecycle import Lifecycle, l_curve, lifecycles, stickiness, trailing_users
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.domain.retention import cohort_retention
from healthmate_bi_pipeline.reporting.user_engagement.inputs import UserEngagementInputs
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.usecases.describe import preview
from healthmate_bi_pipeline.usecases.graph import ASSET_BY_NAME
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.recipe import report_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject, previous_window
from healthmate_bi_pipeline.usecases.reports.user_engagement import (
    USER_ENGAGEMENT_RECIPE,
    gather_user_engagement,
)
from healthmate_bi_pipeline.usecases.reports.writing import write_report
from healthmate_bi_pipeline_tests.accounts import lake_frame
from healthmate_bi_pipeline_tests.reporting.walking import VALIDATOR, people_in
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 5)  # a Monday
WEEKS = 14
DAYS = 7 * WEEKS
NOW = datetime(2026, 4, 20, 12)  # all days are settled
PEOPLE = 300
FEATURES = ("chat", "diary", "trends")
GROUPS = ("staged", "raw", "state", "parameters", "user_engagement", "engagement_groups")


def simulated() -> np.ndarray:
    """People by days: they come, are active in a share of the weeks, and leave (a world as BG/BB has it)."""
    generator = np.random.default_rng(11)
    active = np.zeros((PEOPLE, DAYS), dtype=bool)
    for person in range(PEOPLE):
        chance, leaving = generator.beta(1.5, 1), generator.beta(0.6, 4)
        for week in range(generator.integers(0, WEEKS), WEEKS):
            if not active[person].any() or generator.random() < chance:
                days = generator.choice(7, size=generator.integers(1, 4), replace=False)
                active[person, 7 * week + days] = True
            if generator.random() < leaving:
                break
    return active


ACTIVE = simulated()
BY_WEEK = ACTIVE.reshape(PEOPLE, WEEKS, 7).any(axis=2)


def day(number: int) -> date:
    return FIRST + timedelta(days=int(number))


def features_of(person: int, number: int) -> list[str]:
    return [name for place, name in enumerate(FEATURES) if (person + number) % (place + 2) == 0]


@pytest.fixture(scope="module")
def pipeline(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    places = list(zip(*ACTIVE.nonzero(), strict=True))
    drop_file(
        settings,
        "login_sessions/all.csv",
        csv_text(
            {
                "user_id": person + 1,
                "session_id": f"{person} {number}",
                "started_at": f"{day(number)} 10:00",
                "ended_at": f"{day(number)} 10:06",
            }
            for person, number in places
        ),
    )
    drop_file(
        settings,
        "app_events/all.csv",
        csv_text(
            {
                "user_id": person + 1,
                "event": "feature_used",
                "name": feature,
                "occurred_at": f"{day(number)} 10:01",
                "count": 2,
            }
            for person, number in places
            for feature in features_of(person, number)
        ),
    )
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw"))
        refresh(pipeline, groups=("state",))  # the days first, then the months that are made from them
        refresh(pipeline, groups=GROUPS)
        yield pipeline


@pytest.fixture(scope="module")
def activity(pipeline: Pipeline) -> pd.DataFrame:
    rows = query(pipeline, "SELECT * FROM bi_engagement_activity")
    return rows.set_index(["aggregation_period", "period_start"]).sort_index()


def test_daily_weekly_and_monthly_active_people(activity):
    daily = activity.loc["daily"].head(DAYS)
    assert [at.date() for at in daily.index] == [day(number) for number in range(DAYS)]
    assert daily["active_people"].tolist() == ACTIVE.sum(axis=0).tolist()
    assert daily["mean_daily_active_people"].tolist() == ACTIVE.sum(axis=0).tolist()
    assert daily["weekly_active_people"].tolist() == trailing_users(ACTIVE, days=7).tolist()
    assert daily["monthly_active_people"].tolist() == trailing_users(ACTIVE, days=28).tolist()
    expected = [stickiness(ACTIVE[:, : number + 1]) for number in range(DAYS)]
    assert daily["stickiness"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("period", "start", "first", "last"), [
    ("weekly", "2026-02-09", 35, 42),
    ("monthly", "2026-02-01", 27, 55),
    ("quarterly", "2026-01-01", 0, 86),
])  # fmt: skip
def test_a_longer_period_counts_people_once(activity, period, start, first, last):
    row = activity.loc[(period, pd.Timestamp(start))]
    inside, up_to = ACTIVE[:, first:last], ACTIVE[:, :last]
    assert row["active_people"] == inside.any(axis=1).sum()
    assert row["sessions"] == inside.sum()
    assert row["time_spent_minutes"] == pytest.approx(6 * inside.sum())
    length = (row["period_end"] - pd.Timestamp(start)).days
    assert row["mean_daily_active_people"] == pytest.approx(inside.sum() / length)
    assert row["weekly_active_people"] == up_to[:, -7:].any(axis=1).sum()
    assert row["monthly_active_people"] == up_to[:, -28:].any(axis=1).sum()
    assert row["stickiness"] == pytest.approx(stickiness(up_to))


@pytest.mark.parametrize("window", [7, 28])
@pytest.mark.parametrize(
    ("period", "start", "last"), [("daily", "2026-03-20", 75), ("monthly", "2026-02-01", 55)]
)
def test_the_l_curves(pipeline, window, period, start, last):
    rows = query(
        pipeline,
        "SELECT active_days, people FROM bi_engagement_active_days WHERE aggregation_period = :period"
        " AND period_start = :start AND window_days = :window ORDER BY 1",
        period=period,
        start=start,
        window=window,
    )
    curve = l_curve(ACTIVE[:, :last], days=window)
    assert dict(rows.itertuples(index=False)) == {
        number: people for number, people in enumerate(curve.tolist(), start=1) if people
    }


@pytest.mark.parametrize(("period", "table"), [("daily", ACTIVE), ("weekly", BY_WEEK)])
def test_lifecycle_counts(pipeline, period, table):
    rows = query(
        pipeline, "SELECT * FROM bi_engagement_lifecycle WHERE aggregation_period = :period", period=period
    )
    counts = rows.pivot_table(index="period_start", columns="lifecycle", values="people", fill_value=0)
    step = 1 if period == "daily" else 7
    counts.index = [(at.date() - FIRST).days // step for at in counts.index]
    counts = counts.reindex(range(table.shape[1]), fill_value=0)
    for stage, flags in lifecycles(table).items():
        assert counts[str(stage)].tolist() == flags.sum(axis=0).tolist(), stage


@pytest.mark.parametrize("period", ["daily", "weekly", "monthly"])
def test_the_identities_of_lifecycle(pipeline, activity, period):
    rows = query(
        pipeline,
        "SELECT * FROM bi_engagement_lifecycle WHERE aggregation_period = :period"
        " AND period_start < '2026-04-01'",
        period=period,
    )
    counts = rows.pivot_table(index="period_start", columns="lifecycle", values="people", fill_value=0)
    active = activity.loc[period]["active_people"].reindex(counts.index)
    assert (active == counts["new"] + counts["returning"] + counts["resurrecting"]).all()
    before = active.shift(1, fill_value=0)
    assert (active == before - counts["dormant"] + counts["new"] + counts["resurrecting"]).all()


@pytest.mark.parametrize(("interval", "table"), [("daily", ACTIVE), ("weekly", BY_WEEK)])
def test_cohort_retention(pipeline, interval, table):
    rows = query(
        pipeline, "SELECT * FROM bi_engagement_cohorts WHERE interval = :interval", interval=interval
    )
    step = 1 if interval == "daily" else 7
    found = {
        ((row.cohort_start - FIRST).days // step, row.number): (row.people, row.active_people)
        for row in rows.itertuples()
        if (row.cohort_start - FIRST).days // step + row.number < table.shape[1]
    }
    cells = cohort_retention(table, finished=table.shape[1])
    most = {"daily": 90, "weekly": 104}[interval]
    assert found == {
        (cohort, number): (people, active)
        for cohort, number, people, active in zip(
            cells.cohort.tolist(),
            cells.interval.tolist(),
            cells.people.tolist(),
            cells.active.tolist(),
            strict=True,
        )
        if number <= most
    }
    assert (rows["share"] == rows["active_people"] / rows["people"]).all()


def test_cells_that_are_not_over_are_absent(pipeline):
    rows = query(pipeline, "SELECT * FROM bi_engagement_cohorts WHERE interval = 'monthly'")
    cells = {(row.cohort_start.month, row.number) for row in rows.itertuples()}
    assert cells == {(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0)}  # April goes on, its cohort too


@pytest.mark.parametrize(("period", "start", "first", "last"), [
    ("daily", "2026-02-02", 28, 29),
    ("monthly", "2026-02-01", 27, 55),
])  # fmt: skip
def test_reach_and_depth_of_features(pipeline, period, start, first, last):
    rows = query(
        pipeline,
        "SELECT * FROM bi_engagement_feature_use WHERE aggregation_period = :period AND period_start = :start",
        period=period,
        start=start,
    ).set_index("feature")
    active = ACTIVE[:, first:last].any(axis=1).sum()
    for feature in FEATURES:
        days_of = [
            sum(
                ACTIVE[person, number] and feature in features_of(person, number)
                for number in range(first, last)
            )
            for person in range(PEOPLE)
        ]
        people, uses = sum(days > 0 for days in days_of), 2 * sum(days_of)
        row = rows.loc[feature]
        assert (row["people"], row["uses"], row["active_people"]) == (people, uses, active)
        assert (row["reach"], row["uses_per_person"]) == pytest.approx((people / active, uses / people))
        if period == "monthly":
            assert row["adopters"] == sum(days > 1 for days in days_of)


def patterns_at(week: int) -> pd.DataFrame:
    """x, t_x and n of everybody who had come before a week, person by person."""
    found = []
    for person in range(PEOPLE):
        weeks = BY_WEEK[person, :week].nonzero()[0]
        if len(weeks):
            found.append((person + 1, len(weeks) - 1, weeks[-1] - weeks[0], week - 1 - weeks[0]))
    return pd.DataFrame(found, columns=["user_id", "x", "t_x", "n"])


def fits(pipeline: Pipeline) -> pd.DataFrame:
    return (
        lake_frame(pipeline, CHURN_FITS.name)
        .assign(month=lambda t: t["month"].astype(str))
        .set_index("month")
    )


def test_parameters_are_those_of_the_days_before_the_month(pipeline):
    found = fits(pipeline).loc["2026-04-01"]
    assert found["weeks_end"] == date(2026, 3, 30)
    told = patterns_at(12)
    told = told[told["n"] > 0]
    expected = fit(Patterns.of(told["x"], told["t_x"], told["n"]).counted())
    model = expected.model
    assert found[["alpha", "beta", "gamma", "delta"]].tolist() == pytest.approx(
        [model.alpha, model.beta, model.gamma, model.delta], rel=1e-6
    )
    assert (found["people"], found["is_converged"]) == (len(told), expected.is_converged)
    assert expected.is_converged, "the story of this test needs a model"


def test_what_is_laid_out_by_month_is_previewed_by_month(pipeline):
    january = date(2026, 1, 1)
    shown = preview(pipeline, ASSET_BY_NAME[ACTIVE_DAYS.name], january)
    assert shown is not None
    assert shown.rows == ACTIVE[:, :27].sum()


def test_everybody_with_a_first_activity_has_a_score_at_the_end_of_a_week(pipeline):
    parameters = fits(pipeline).loc["2026-04-01"]
    model = BgBb(*parameters[["alpha", "beta", "gamma", "delta"]])
    expected = patterns_at(13)
    alive = model.probability_alive(Patterns.of(expected["x"], expected["t_x"], expected["n"]))
    rows = query(pipeline, "SELECT * FROM bi_user_retention WHERE week_end = '2026-04-06' ORDER BY user_id")
    assert rows["user_id"].tolist() == expected["user_id"].tolist()
    assert rows["active_weeks"].tolist() == expected["x"].tolist()
    assert rows["last_active_week"].tolist() == expected["t_x"].tolist()
    assert rows["weeks"].tolist() == expected["n"].tolist()
    assert rows["probability_alive"].tolist() == pytest.approx(alive.tolist(), rel=1e-9)
    shown = query(
        pipeline,
        "SELECT user_id, retention_score, churn_risk FROM bi_user_engagement_analytics"
        " WHERE aggregation_period = 'weekly' AND period_start = '2026-03-30' ORDER BY user_id",
    ).set_index("user_id")
    probability = rows.set_index("user_id")["probability_alive"].reindex(shown.index)
    assert shown["retention_score"].tolist() == pytest.approx((100 * probability).tolist())
    assert shown["churn_risk"].tolist() == pytest.approx((1 - probability).tolist())
    assert len(shown)


def test_a_month_has_the_score_of_its_last_whole_week(pipeline):
    shown = query(
        pipeline,
        "SELECT a.user_id FROM bi_user_engagement_analytics AS a JOIN bi_user_retention AS r USING (user_id)"
        " WHERE a.aggregation_period = 'monthly' AND a.period_start = '2026-03-01' AND r.week_end = '2026-03-30'"
        " AND a.retention_score = 100 * r.probability_alive ORDER BY 1",
    )
    had_come = ACTIVE[:, :84].any(axis=1)  # who came in the last days of March has had no week yet
    is_told = had_come & (ACTIVE[:, 55:86].any(axis=1) | ACTIVE[:, 27:55].any(axis=1))  # active, or dormant
    assert shown["user_id"].tolist() == (is_told.nonzero()[0] + 1).tolist()
    daily = query(
        pipeline,
        "SELECT count(retention_score) AS n FROM bi_user_engagement_analytics WHERE aggregation_period = 'daily'",
    )
    assert daily["n"].tolist() == [0]


def test_the_model_is_judged_on_weeks_that_it_has_not_seen(pipeline):
    rows = query(pipeline, "SELECT * FROM bi_churn_calibration WHERE month = '2026-03-01' ORDER BY decile")
    parameters = fits(pipeline).loc["2026-03-01"]
    model = BgBb(*parameters[["alpha", "beta", "gamma", "delta"]])
    week = (parameters["weeks_end"] - FIRST).days // 7
    told = patterns_at(week)
    person = told["user_id"].to_numpy() - 1
    came = BY_WEEK[person, week : week + 4].any(axis=1)
    silent = ~ACTIVE[person, 7 * week - 14 : 7 * week].any(axis=1)
    predicted = model.probability_active(Patterns.of(told["x"], told["t_x"], told["n"]), ahead=4)
    whole, *tenths = rows.to_dict("records")
    assert (whole["people"], whole["observed"]) == (len(told), pytest.approx(came.mean()))
    assert whole["predicted"] == pytest.approx(predicted.mean())
    assert whole["brier_score"] == pytest.approx(brier_score(predicted, came))
    assert whole["rule_brier_score"] == pytest.approx(
        brier_score(predicted_by_silence(np.where(silent, 14, 0)), came)
    )
    expected = deciles(np.round(predicted, 12), came)
    assert [(tenth["decile"], tenth["people"]) for tenth in tenths] == [
        (d.decile, d.people) for d in expected
    ]
    assert [tenth["observed"] for tenth in tenths] == pytest.approx([d.observed for d in expected])


WEEK = Window.of_days(date(2026, 2, 9), date(2026, 2, 15))
FORTNIGHT = Window.of_days(date(2026, 2, 11), date(2026, 2, 24))


def gathered(pipeline: Pipeline, period: Period | None, window: Window) -> UserEngagementInputs:
    found = gather_user_engagement(pipeline, Subject(USER_ENGAGEMENT, period, window))
    assert found is not None
    return found


def places(window: Window) -> slice:
    first = (window.first_day - FIRST).days
    return slice(first, first + window.days)


def test_figures_of_everybody_are_means_over_active_people(pipeline):
    figures = gathered(pipeline, Period.WEEKLY, WEEK).current.figures
    own = ACTIVE[:, places(WEEK)].sum(axis=1)
    own = own[own > 0]
    for name, values in (
        ("total_sessions", own),
        ("active_days", own),
        ("time_spent_in_app_minutes", 6 * own),
    ):
        assert figures[name].people == len(own)
        assert figures[name].mean == pytest.approx(values.mean())
        assert figures[name].deviation == pytest.approx(values.std(ddof=1))
    assert sum(figures["active_days"].band_people) == len(own)


@pytest.mark.parametrize("window", [WEEK, Window.of_days(date(2026, 2, 1), date(2026, 2, 28))])
def test_a_free_range_that_is_a_period_has_its_figures(pipeline, window):
    period = USER_ENGAGEMENT.cadence_of(window)
    of_period, of_range = (gathered(pipeline, one, window) for one in (period, None))
    assert of_range.current.activity == of_period.current.activity
    assert of_range.current.features == of_period.current.features
    assert of_range.current.figures.keys() == of_period.current.figures.keys()
    for name, figure in of_period.current.figures.items():
        assert of_range.current.figures[name].people == figure.people
        if name != "people":  # of whom there is no mean
            assert of_range.current.figures[name].mean == pytest.approx(figure.mean, rel=1e-9)
        assert of_range.current.figures[name].band_people == figure.band_people
    assert of_range.curves == of_period.curves
    assert of_range.cohorts == gathered(pipeline, Period.WEEKLY, WEEK).cohorts or period is Period.MONTHLY
    if period is Period.WEEKLY:  # the month before has other days than the 28 before
        assert of_range.lifecycle == {
            str(stage): of_period.lifecycle.get(str(stage), 0) for stage in Lifecycle
        }
        assert of_range.active_before == of_period.active_before


def test_a_free_range_counts_people_once_over_its_days(pipeline):
    found = gathered(pipeline, None, FORTNIGHT)
    inside, before = ACTIVE[:, places(FORTNIGHT)], ACTIVE[:, places(previous_window(None, FORTNIGHT))]
    active, was = inside.any(axis=1), before.any(axis=1)
    ever = ACTIVE[:, : places(FORTNIGHT).start].any(axis=1)
    assert found.current.activity.active == active.sum()
    assert found.current.activity.daily == pytest.approx(inside.sum() / 14)
    assert found.active_before == was.sum()
    assert found.lifecycle == {
        "new": (active & ~ever).sum(),
        "returning": (active & was).sum(),
        "resurrecting": (active & ever & ~was).sum(),
        "dormant": (~active & was).sum(),
    }
    assert found.curves[28] == {
        number: people
        for number, people in enumerate(
            l_curve(ACTIVE[:, : places(FORTNIGHT).stop], days=28).tolist(), start=1
        )
        if people
    }


def test_retention_of_a_week_is_of_who_came_the_week_before(pipeline):
    found = gathered(pipeline, Period.WEEKLY, WEEK)
    week = places(WEEK).start // 7
    first = np.where(BY_WEEK.any(axis=1), BY_WEEK.argmax(axis=1), -1)
    came = first == week - 1
    assert (found.current.came, found.current.stayed) == (came.sum(), (came & BY_WEEK[:, week]).sum())
    assert [one.window.start for one in found.history][-1] == WEEK.start


def test_churn_risk_is_the_mean_of_who_was_recently_active(pipeline):
    window = Period.WEEKLY.window(datetime(2026, 3, 30))
    churn = gathered(pipeline, Period.WEEKLY, window).current.churn
    rows = query(pipeline, "SELECT * FROM bi_user_retention WHERE week_end = '2026-04-06'")
    recent = rows[rows["weeks"] - rows["last_active_week"] < 4]
    risk = 1 - recent["probability_alive"]
    assert 0 < len(recent) < len(rows)
    assert (churn.people, churn.mean) == (len(recent), pytest.approx(risk.mean()))
    assert churn.deviation == pytest.approx(risk.std())
    assert churn.band_people == tuple(
        ((risk >= low) & (risk < low + 0.2)).sum() for low in (0, 0.2, 0.4, 0.6, 0.8)
    )


def test_nothing_is_known_of_days_without_data(pipeline):
    for period in (Period.WEEKLY, None):
        window = Window.of_days(date(2025, 6, 2), date(2025, 6, 8))
        assert gather_user_engagement(pipeline, Subject(USER_ENGAGEMENT, period, window)) is None


def test_later_days_leave_a_report_alone_and_late_ones_do_not(pipeline):
    """Cohorts and calibration are made again whenever a day is over; the report on a week long gone is not."""

    def inputs() -> dict[date, int]:
        with pipeline.warehouse.transaction() as connection:
            return report_inputs(
                pipeline, connection, WEEK, recipe=USER_ENGAGEMENT_RECIPE, period=Period.WEEKLY
            )

    def add(day: date) -> None:
        row = {
            "user_id": 1,
            "session_id": f"late {day}",
            "started_at": f"{day} 23:00",
            "ended_at": f"{day} 23:06",
        }
        drop_file(pipeline.settings, f"login_sessions/{day}.csv", csv_text([row]))
        refresh(pipeline, groups=("staged", "raw"))
        refresh(pipeline, groups=("state",))
        refresh(pipeline, groups=GROUPS)

    before = inputs()
    assert list(before) == [WEEK.first_day]
    add(date(2026, 4, 16))
    assert inputs() == before
    add(date(2026, 2, 2))
    assert inputs() != before


def test_the_written_report_follows_the_schema_and_has_no_small_cell(pipeline):
    for window in (WEEK, FORTNIGHT):
        built = write_report(pipeline, USER_ENGAGEMENT_RECIPE, window)
        path = next(path for path in built.paths if path.endswith(".json"))
        told = json.loads((pipeline.settings.reports_path / path).read_text())
        VALIDATOR.validate(told)
        assert told["report_type"] == "user_engagement"
        assert told["cadence"] == ("weekly" if window is WEEK else "range")
        assert not [count for count in people_in(told) if 0 < count < 11]
        again = write_report(pipeline, USER_ENGAGEMENT_RECIPE, window)
        assert again.paths == built.paths
