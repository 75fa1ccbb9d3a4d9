"""How people use the app: habits that differ, weeks as the churn model assumes them, events inside of sessions."""

from datetime import date
from math import exp, lgamma

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.sources.demo.block import Block
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Span
from healthmate_bi_pipeline.sources.demo.lifetimes import draw_lifetimes
from healthmate_bi_pipeline.sources.demo.people import draw_people
from healthmate_bi_pipeline_tests.sources.demo.app import week_of
from healthmate_bi_pipeline_tests.sources.demo.reading import read_device

ALPHA, BETA, GAMMA, DELTA = 2.2, 1.8, 0.9, 110.0
DEVICES = {"phone Nova 8", "phone Lark 12", "tablet Slate", "web"}


def beta(a, b):
    return exp(lgamma(a) + lgamma(b) - lgamma(a + b))


@pytest.fixture(scope="module")
def lifetimes():
    """Weeks until people of many blocks fall away, and how many weeks they could be seen."""
    span = Span(date(2025, 1, 1), date(2026, 8, 31))
    weeks, seen = [], []
    for number in range(300):
        block = Block(20, number, 50 * 300, span)
        people = draw_people(block)
        falls_away = draw_lifetimes(block, people)
        assert ((falls_away[falls_away < NEVER] + span.first.weekday()) % 7 == 0).all()  # a Monday
        first = (span.first.weekday() + people.first_day) // 7
        weeks.append(np.where(falls_away < NEVER, (falls_away + span.first.weekday()) // 7 - first, NEVER))
        seen.append((span.days - 1 + span.first.weekday()) // 7 - first)
    return np.concatenate(weeks), np.concatenate(seen)


@pytest.mark.parametrize("n", [1, 4, 13, 26, 52])
def test_people_fall_away_as_a_beta_geometric_says(lifetimes, n):
    """The share that is left after n weeks is B(γ, δ + n) / B(γ, δ)."""
    weeks, seen = lifetimes
    could = seen >= n
    assert (weeks[could] > n).mean() == pytest.approx(beta(GAMMA, DELTA + n) / beta(GAMMA, DELTA), abs=0.012)


@pytest.mark.slow
def test_weeks_with_use_are_beta_binomial_until_people_fall_away(app_demo):
    story = app_demo.stories["people_fall_away_week_by_week"]
    gone = {int(user): pd.Timestamp(own["falls_away"]) for user, own in story["when"]["per_person"].items()}
    disturbed = set(story["who"]["disturbed_user_ids"])
    deliberate = app_demo.events[app_demo.events["event"] != "notification_received"]
    used = pd.concat(
        [frame[["user_id", "local"]] for frame in (app_demo.sessions, deliberate, app_demo.web_events)]
    )
    used = used[~used["user_id"].isin(disturbed)].assign(week=lambda rows: week_of(rows["local"]))
    end = used["user_id"].map(gone)
    assert ((used["local"] < end) | end.isna()).mean() > 0.9999  # a journey may move a day
    last_week = pd.Timestamp("2026-08-24")  # the last whole one
    weeks = used.groupby("user_id")["week"]
    first, active = weeks.min(), weeks.nunique()
    active = (
        active
        - 1
        - used[used["week"] > last_week]
        .groupby("user_id")["week"]
        .nunique()
        .reindex(active.index, fill_value=0)
    )
    until = pd.Series(active.index.map(gone), index=active.index).fillna(last_week + pd.Timedelta(weeks=1))
    chances = (np.minimum(until, last_week + pd.Timedelta(weeks=1)) - first).dt.days // 7 - 1
    long_there = chances >= 10
    share = (active / chances)[long_there]
    assert long_there.sum() > 100
    mean = ALPHA / (ALPHA + BETA)
    variance = mean * (1 - mean) / (ALPHA + BETA + 1)
    within = (mean * (1 - mean) - variance) / chances[long_there].mean()
    assert share.mean() == pytest.approx(mean, abs=0.05)
    assert share.std() == pytest.approx((variance + within) ** 0.5, abs=0.04)


@pytest.mark.slow
class TestSessions:
    def test_days_and_weeks_have_a_rhythm(self, app_demo):
        by_hour = app_demo.sessions.groupby(app_demo.sessions["local"].dt.hour).size()
        assert by_hour.reindex(range(1, 4), fill_value=0).max() * 20 < by_hour[[7, 12, 17, 21]].min()
        by_day = app_demo.sessions.groupby(app_demo.sessions["local"].dt.day_of_week).size()
        assert by_day[[5, 6]].max() < by_day[range(5)].min()

    def test_people_differ(self, app_demo):
        by_person = app_demo.sessions.groupby("user_id")
        per_day = by_person.size() / by_person["local"].agg(lambda at: at.dt.normalize().nunique())
        assert per_day.between(1, 4).all()
        per_week = by_person.size() / by_person["local"].agg(lambda at: (at.max() - at.min()).days / 7 + 1)
        assert per_week.quantile(0.9) > 4 * per_week.quantile(0.1)
        assert set(app_demo.sessions["device"]) == DEVICES

    def test_some_have_no_end_and_some_pass_midnight(self, app_demo):
        sessions = app_demo.sessions
        assert sessions["ended_at"].isna().mean() == pytest.approx(0.03, abs=0.005)
        length = sessions["ended_at"] - sessions["started_at"]
        assert length.dropna().between(pd.Timedelta(seconds=1), pd.Timedelta(hours=3, minutes=1)).all()
        assert length.dt.total_seconds().median() / 60 == pytest.approx(4.5, abs=1)
        passes = (sessions["local"] + length).dt.normalize() > sessions["local"].dt.normalize()
        assert passes.sum() > 50

    def test_nobody_has_two_at_once(self, app_demo):
        sessions = app_demo.sessions.sort_values(["user_id", "started_at"])
        latest = sessions.groupby("user_id")["ended_at"].shift()
        assert (sessions["started_at"] > latest).sum() > 20_000
        corrected = sessions["updated_at"].notna()  # an end that came a minute later
        assert not (sessions["started_at"] < latest)[~corrected & ~corrected.shift(fill_value=True)].any()

    def test_who_travels_is_in_another_zone_meanwhile(self, app_demo):
        one_home = app_demo.users.groupby("user_id")["time_zone"].nunique() == 1
        home = app_demo.users.drop_duplicates("user_id").set_index("user_id")["time_zone"][one_home]
        mine = app_demo.sessions[app_demo.sessions["user_id"].isin(home.index)]
        is_home = []
        for zone, users in home.groupby(home):
            rows = mine[mine["user_id"].isin(users.index)]
            wall = rows["started_at"].dt.tz_convert(zone).dt.tz_localize(None)
            is_home.append(wall == rows["local"])
        assert 0.9 < pd.concat(is_home).mean() < 0.999

    def test_versions_of_the_app_go_up(self, app_demo):
        version = app_demo.sessions["app_version"].str.split(".").str[1].astype(int)
        ordered = app_demo.sessions.assign(version=version).sort_values(["user_id", "started_at"])
        assert (ordered.groupby("user_id")["version"].diff().dropna() >= 0).all()
        assert version.nunique() > 12


@pytest.mark.slow
class TestEvents:
    def test_they_lie_in_their_session(self, app_demo):
        inside = app_demo.events.merge(
            app_demo.sessions[["user_id", "session_id", "started_at", "ended_at", "updated_at"]],
            on=["user_id", "session_id"], suffixes=("", "_session"),
        )  # fmt: skip
        assert len(inside) > 0.98 * app_demo.events["session_id"].notna().sum()  # bad sessions are left out
        assert (inside["occurred_at"] >= inside["started_at"]).all()
        has_end = inside["ended_at"].notna()
        assert (inside["occurred_at"] <= inside["ended_at"])[has_end].all()

    def test_those_without_a_session_are_of_the_old_web_client_or_notifications(self, app_demo):
        without = app_demo.events[app_demo.events["session_id"].isna()]
        assert set(without["event"]) == {"notification_received"}
        assert (app_demo.events["event"] == "notification_received").sum() == len(without)
        assert {"session_id", "event_id"}.isdisjoint(app_demo.web_events.columns)
        assert 0.02 < len(app_demo.web_events) / len(app_demo.events) < 0.1

    def test_all_kinds_occur_and_are_numbered(self, app_demo):
        assert app_demo.events["event"].nunique() == 10
        assert app_demo.events["event_id"].is_unique
        assert (app_demo.events["count"] >= 1).all()
        views = app_demo.events[app_demo.events["event"] == "page_view"].groupby("session_id")["count"].sum()
        assert 0.3 < (views >= 3).mean() < 0.9

    def test_people_have_repertoires(self, app_demo):
        features = app_demo.events[app_demo.events["event"] == "feature_used"]
        breadth = features.groupby("user_id")["name"].nunique()
        assert features["name"].nunique() == 12
        assert breadth.std() > 1
        assert 2 < breadth.mean() < 9

    def test_openings_follow_what_was_received(self, app_demo):
        """Each within 25 minutes, but for the campaign; people answer very differently often."""
        events = app_demo.events[app_demo.events["name"] != "we_miss_you"].sort_values("occurred_at")
        received, opened = (
            events[events["event"] == f"notification_{kind}"][["user_id", "name", "occurred_at"]]
            for kind in ("received", "opened")
        )
        pairs = pd.merge_asof(
            opened, received.assign(came=received["occurred_at"]), on="occurred_at", by=["user_id", "name"],
            tolerance=pd.Timedelta(minutes=26),
        )  # fmt: skip
        assert (
            pairs["came"].notna().mean() > 0.985
        )  # some of those received are among the bad or deleted rows
        response = opened.groupby("user_id").size() / received.groupby("user_id").size()
        assert response.mean() == pytest.approx(0.31, abs=0.08)
        assert response.std() > 0.12

    @pytest.mark.parametrize(
        ("event", "dataset", "device", "column"),
        [
            ("symptom_logged", "symptom_logs", "diary", "recorded_at"),
            ("medication_logged", "medication_doses", "app", "scheduled_at"),
        ],
    )
    def test_what_is_entered_was_recorded_before(self, app_demo, event, dataset, device, column):
        """Within a day before the event, and never more often than it was recorded."""
        entered = app_demo.events[app_demo.events["event"] == event]
        rows = pd.concat(
            [read_device(app_demo.landing, dataset, device, late=late) for late in (False, True)]
        )
        if dataset == "medication_doses":
            rows = rows[rows["status"].isin(["taken", "skipped"])]
            rows[column] = rows["taken_at"].fillna(rows[column])
        recorded = rows.dropna(subset=column)[["user_id", column]].sort_values(column)
        last = pd.merge_asof(
            entered[["user_id", "occurred_at"]].sort_values("occurred_at"),
            recorded.assign(was=recorded[column]).rename(columns={column: "occurred_at"}),
            on="occurred_at", by="user_id", tolerance=pd.Timedelta(hours=28),
        )  # fmt: skip
        assert last["was"].notna().mean() > 0.97  # bad rows have lost their time
        total = entered.groupby("user_id")["count"].sum()
        assert (total <= 1.02 * recorded.groupby("user_id").size().reindex(total.index) + 3).all()
        assert len(total) > 20

    def test_goals_are_reached_on_days_with_many_steps(self, app_demo):
        totals = read_device(app_demo.landing, "activity_intervals", "daily")
        totals = totals[(totals["steps"] >= 0) & totals["started_at"].notna()]
        steps = totals.assign(day=totals["started_at_local"].dt.normalize())[["user_id", "day", "steps"]]
        steps["relative"] = steps["steps"] / steps.groupby("user_id")["steps"].transform("mean")
        goals = app_demo.events[app_demo.events["event"] == "goal_achieved"]
        days = goals.assign(day=goals["local"].dt.normalize())[["user_id", "day"]].drop_duplicates()
        reached = days.merge(steps, on=["user_id", "day"])["relative"]
        assert len(reached) > 500
        assert reached.mean() > 1.2
        assert (reached > 0.8).mean() > 0.95


@pytest.mark.slow
class TestBills:
    def test_plans_are_those_of_the_record(self, app_demo):
        """At each event the plan of the version of ``users`` that is valid then; a cancellation ends it."""
        bills = app_demo.bills[app_demo.bills["event"] != "cancelled"].sort_values("occurred_at")
        versions = app_demo.users[["user_id", "valid_from", "plan"]].copy()
        versions["occurred_at"] = pd.to_datetime(versions["valid_from"], utc=True, format="ISO8601").fillna(
            pd.Timestamp("2000-01-01", tz="UTC")
        )
        versions["occurred_at"] = versions["occurred_at"].astype("datetime64[us, UTC]")
        both = pd.merge_asof(
            bills,
            versions.sort_values("occurred_at"),
            on="occurred_at",
            by="user_id",
            suffixes=("", "_known"),
        )
        assert (both["plan"] == both["plan_known"]).all()
        assert not both["plan"].eq("free").any()
        cancelled = app_demo.bills[app_demo.bills["event"] == "cancelled"]
        assert not cancelled["user_id"].duplicated().any()
        last = app_demo.users.sort_values(["user_id", "valid_from"], na_position="first").drop_duplicates(
            "user_id", keep="last"
        )
        assert last.set_index("user_id")["plan"][cancelled["user_id"]].eq("free").all()

    def test_they_are_renewed_each_30_days_until_they_are_cancelled(self, app_demo):
        bills = app_demo.bills
        days = bills["occurred_at"].dt.floor("D")
        renewed = bills[bills["event"] == "renewed"].sort_values(["user_id", "occurred_at"])
        gaps = renewed.groupby("user_id")["occurred_at"].diff().dt.days.dropna()
        assert (gaps == 30).mean() > 0.85
        end = bills[bills["event"] == "cancelled"].set_index("user_id")["occurred_at"]
        ends = bills["user_id"].map(end)
        assert (bills["occurred_at"] <= ends.fillna(bills["occurred_at"])).all()
        retried = bills[bills["event"] == "payment_failed"].assign(day=days + pd.Timedelta(days=3))
        again = retried.merge(renewed.assign(day=days), on=["user_id", "day"])
        assert len(again) > 0.8 * len(retried) > 0

    def test_amounts_are_of_the_plan_and_the_place(self, app_demo):
        bills = app_demo.bills[app_demo.bills["event"].isin(["started", "renewed", "upgraded", "downgraded"])]
        bills = bills[bills["updated_at"].isna()]  # a corrected amount differs
        day = pd.Timestamp(app_demo.stories["people_leave_after_price_change"]["when"]["first_day"], tz="UTC")
        bills = bills.assign(is_after=bills["occurred_at"] >= day)
        prices = bills.groupby(["plan", "currency", "is_after"])["amount_minor"].agg(["min", "max"])
        assert (prices["min"] == prices["max"]).all()
        euro = prices["min"].xs("EUR", level="currency")
        assert euro.loc["plus", True] / euro.loc["plus", False] == pytest.approx(1.25, abs=0.001)
        assert euro.loc["family", True] == euro.loc["family", False]
        assert app_demo.bills.groupby("user_id")["currency"].nunique().max() == 1

    def test_all_events_occur_and_some_are_bad(self, app_demo):
        assert app_demo.bills["event"].nunique() == 7
        counts = app_demo.result.counts["billing_events"]
        assert min(counts.by_defect.values()) > 0
        assert min(counts.corrected, counts.deleted, counts.repeated) > 0
