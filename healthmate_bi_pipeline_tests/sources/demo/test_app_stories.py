"""The stories of the app and of the backend are in the files, and can be got back as their ``compare`` says."""

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

ABOUT_PEOPLE = {
    "campaign_brings_lapsed_people_back",
    "launched_feature_is_adopted",
    "people_fall_away_week_by_week",
    "people_leave_after_price_change",
}
ABOUT_THE_BACKEND = {"memory_leak", "outage", "slow_release"}


def own_dates(story, name):
    return {int(user): pd.Timestamp(own[name]) for user, own in story["when"]["per_person"].items()}


def stretch(story):
    return (pd.Timestamp(story["when"][name]) for name in ("from", "until"))


def size(story, figure):
    return story["effect"]["sizes"][figure]


def in_production(rows, story):
    who = story["who"]
    for column in ("service", "environment", "instance_id"):
        if column in who:
            rows = rows[rows[column] == who[column]]
    return rows


def weighted_median(rows):
    ordered = rows.sort_values("duration_ms")
    total = ordered["count"].cumsum()
    return ordered["duration_ms"].iloc[int(np.searchsorted(total, total.iloc[-1] / 2))]


def test_every_story_is_told(app_demo):
    about_both = ABOUT_PEOPLE | ABOUT_THE_BACKEND
    assert about_both <= set(app_demo.stories)
    for name in about_both:
        story = app_demo.stories[name]
        who = story["who"]
        assert who["count"] == len(set(who["user_ids"]))
        assert who["count"] >= 11 if name in ABOUT_PEOPLE else who["service"]
        assert story["effect"]["sizes"].keys() == set(story["what"]["figures"])
        assert story["effect"]["compare"]
        assert story["when"]


def test_who_fell_away_is_gone_and_all_others_are_there_to_the_end(app_demo):
    story = app_demo.stories["people_fall_away_week_by_week"]
    gone = own_dates(story, "falls_away")
    undisturbed = set(story["who"]["user_ids"]) - set(story["who"]["disturbed_user_ids"])
    last = app_demo.sessions.groupby("user_id")["local"].max()
    left = [user for user in undisturbed if user in gone]
    assert all(last[user] < gone[user] + pd.Timedelta(hours=14) for user in left)
    end = app_demo.sessions["local"].max()
    stayed = last[[user for user in undisturbed - set(left) if user in last.index]]
    assert ((end - stayed).dt.days < 60).mean() > 0.85  # the least interested open the app now and then
    assert 0.2 < len(left) / len(undisturbed) < 0.7


def test_a_campaign_brings_lapsed_people_back(app_demo):
    story = app_demo.stories["campaign_brings_lapsed_people_back"]
    day = pd.Timestamp(story["when"]["first_day"])
    sessions = app_demo.sessions
    seen = (
        sessions[sessions["local"].between(day, day + pd.Timedelta(days=4))].groupby("user_id")["local"].min()
    )
    addressed, held_out = story["who"]["user_ids"], story["who"]["held_out_user_ids"]
    returned = [user for user in addressed if user in seen.index]
    assert len(returned) / len(addressed) == pytest.approx(size(story, "returned_share"), abs=0.15)
    assert not [user for user in held_out if user in seen.index]
    assert len(held_out) >= 5
    dates = own_dates(story, "returns_on")
    assert set(returned) <= set(dates)
    late = pd.Series({user: seen[user].normalize() - dates[user] for user in returned})
    assert (late >= pd.Timedelta(0)).all()
    assert (late == pd.Timedelta(0)).mean() > 0.75  # the others first by web, which logs no session
    got = app_demo.events[
        (app_demo.events["event"] == "notification_received") & (app_demo.events["name"] == "we_miss_you")
    ]
    assert set(got["user_id"]) <= set(addressed)
    assert got["local"].dt.normalize().eq(day).all()
    lapsed = sessions[sessions["user_id"].isin([*addressed, *held_out])]
    before = lapsed["local"].between(day - pd.Timedelta(days=28), day, inclusive="left")
    assert not before.any()


def test_people_leave_after_the_price_change(app_demo):
    story = app_demo.stories["people_leave_after_price_change"]
    day = pd.Timestamp(story["when"]["first_day"])
    who = story["who"]["user_ids"]
    bills = app_demo.bills.assign(day=app_demo.bills["occurred_at"].dt.tz_localize(None).dt.normalize())
    cancelled = bills[bills["event"] == "cancelled"].set_index("user_id")["day"]
    soon = cancelled[cancelled.between(day, day + pd.Timedelta(days=42))]
    left = own_dates(story, "cancelled_on")
    assert len(left) / len(who) == pytest.approx(size(story, "left_share"), abs=0.15)
    assert (soon.reindex(list(left)) == pd.Series(left)).mean() > 0.9  # bad rows are left out
    others = set(app_demo.bills["user_id"]) - set(who)
    assert soon.index.isin(list(others)).sum() < 0.15 * len(others)
    last = app_demo.sessions.groupby("user_id")["local"].max().reindex(list(left)).dropna()
    assert all(at < left[user] + pd.Timedelta(days=8) for user, at in last.items())


def test_a_launched_feature_is_adopted_by_its_cohort(app_demo):
    story = app_demo.stories["launched_feature_is_adopted"]
    launch, feature = pd.Timestamp(story["when"]["first_day"]), story["when"]["feature"]
    used = app_demo.events[
        (app_demo.events["event"] == "feature_used") & (app_demo.events["name"] == feature)
    ]
    assert used["local"].min() >= launch
    dates = own_dates(story, "adopts_from")
    cohort = app_demo.sessions[app_demo.sessions["user_id"].isin(story["who"]["user_ids"])]
    mine = used[used["user_id"].isin(story["who"]["user_ids"])]
    assert (mine["local"] >= mine["user_id"].map(dates)).all()
    after = cohort[cohort["local"] >= cohort["user_id"].map(dates)]
    assert after["session_id"].isin(mine["session_id"]).mean() == pytest.approx(0.5, abs=0.04)
    late = cohort[cohort["local"] > launch + pd.Timedelta(days=150)].groupby("user_id").size()
    still_there = late.index[late >= 8]
    assert len(still_there) >= 25
    share = still_there.isin(mine["user_id"].unique()).mean()
    expected = size(story, "adopted_share") * (1 - np.exp(-150 / size(story, "days_to_adopt")))
    assert share == pytest.approx(expected, abs=0.15)
    young = app_demo.users[app_demo.users["birth_year"] > 2025 - 50]["user_id"]
    assert set(story["who"]["user_ids"]) <= {*young, *story["who"]["user_ids"]}
    old = app_demo.users[app_demo.users["birth_year"] <= 2025 - 50]["user_id"]
    assert not set(old) & set(story["who"]["user_ids"])


def test_a_release_is_slow_until_it_is_rolled_back(app_demo):
    story = app_demo.stories["slow_release"]
    start, end = stretch(story)
    requests = app_demo.requests[app_demo.requests["status_code"] < 400]
    mine = in_production(requests, story)

    def median(rows, shift):
        at = rows["occurred_at"] + shift
        return weighted_median(rows[(at >= start) & (at < end)])

    week = pd.Timedelta(weeks=1)
    assert median(mine, 0 * week) / median(mine, week) == pytest.approx(
        size(story, "response_time_ms"), rel=0.12
    )
    assert median(mine, -week) / median(mine, week) == pytest.approx(1, abs=0.12)
    other = requests[(requests["service"] == "health-data") & (requests["environment"] == "production")]
    assert median(other, 0 * week) / median(other, week) == pytest.approx(1, abs=0.12)


def test_a_service_fails_for_some_minutes(app_demo):
    story = app_demo.stories["outage"]
    start, end = stretch(story)
    mine = in_production(app_demo.requests, story)

    def error_rate(first, last):
        rows = mine[mine["occurred_at"].between(first, last, inclusive="left")]
        return rows.loc[rows["status_code"] >= 500, "count"].sum() / rows["count"].sum()

    assert error_rate(start, end) == pytest.approx(size(story, "error_rate"), abs=0.1)
    hour = pd.Timedelta(hours=6)
    assert error_rate(start - hour, start) < 0.01
    assert error_rate(end, end + hour) < 0.01
    failed = mine[(mine["status_code"] == 503) & mine["occurred_at"].between(start, end)]
    assert (failed["duration_ms"] > 8_000).mean() == pytest.approx(0.5, abs=0.15)


def test_an_instance_loses_memory_until_it_is_restarted(app_demo):
    story = app_demo.stories["memory_leak"]
    start, end = stretch(story)
    mine = in_production(app_demo.hosts, story)
    inside = mine["sampled_at"].between(start, end, inclusive="left")
    means = mine.loc[inside, "memory_percent"].groupby(mine["sampled_at"].dt.floor("D")).mean()
    whole = means.iloc[1:-1]  # memory follows the load of the day, so only whole days compare
    slope, _ = np.polyfit(np.arange(len(whole)), whole, 1)
    assert slope == pytest.approx(size(story, "memory_percent"), abs=0.05)
    week = pd.Timedelta(weeks=1)
    before, after = (
        mine.loc[mine["sampled_at"].between(first, first + week, inclusive="left"), "memory_percent"].mean()
        for first in (start - week, end)
    )
    assert after == pytest.approx(before, abs=1)
    hosts = app_demo.hosts[app_demo.hosts["instance_id"] != story["who"]["instance_id"]]
    others = hosts.loc[hosts["sampled_at"].between(start, end), "memory_percent"]
    assert mine.loc[inside, "memory_percent"].max() > others.max() + 15
