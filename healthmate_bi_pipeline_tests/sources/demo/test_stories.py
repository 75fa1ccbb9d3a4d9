"""The planted stories are in the files, and can be got back from them within noise.

Each is computed as its ``compare`` says, with pandas, from rows that break no rule.
"""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.sources.demo import write_demo, write_stories
from healthmate_bi_pipeline_tests.sources.demo.reading import good_readings, read_device

pytestmark = pytest.mark.slow

FIRST, LAST = date(2025, 1, 1), date(2026, 8, 31)
DATASETS = (
    "users", "health_readings", "activity_intervals", "sleep_sessions", "medication_doses", "symptom_logs",
)  # fmt: skip


@pytest.fixture(scope="module")
def landing(made):
    return made[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    result = write_demo(home / "landing", first_day=FIRST, last_day=LAST, datasets=DATASETS)
    path = write_stories(home / "demo", result.stories, result.about())
    return home / "landing", json.loads(path.read_text())


@pytest.fixture(scope="module")
def stories(made):
    return {story["name"]: story for story in made[1]["stories"]}


@pytest.fixture(scope="module")
def systolic(landing):
    readings = good_readings(read_device(landing, "health_readings", "cuff"))
    return readings[readings["metric"] == "blood_pressure_systolic"]


def of(story, frame):
    return frame[frame["user_id"].isin(story["who"]["user_ids"])]


def own_dates(story, name):
    dates = {int(user): pd.Timestamp(own[name]) for user, own in story["when"]["per_person"].items()}
    assert set(dates) == set(story["who"]["user_ids"])
    return dates


def split_by(frame, column, day, *, before, after):
    """Per person the mean of ``column`` before and after its day; ``day`` is a date or one per user_id."""
    own = frame["user_id"].map(day) if isinstance(day, dict) else pd.Timestamp(day)
    local = frame["recorded_at_local"]
    early = frame[(local < own) & (local >= own - pd.Timedelta(days=before))]
    late = frame[
        (local >= own + pd.Timedelta(days=after)) & (local < own + pd.Timedelta(days=after + before))
    ]
    return late.groupby("user_id")[column].mean() - early.groupby("user_id")[column].mean()


def test_every_story_says_what_who_when_and_how_much(stories):
    assert set(stories) == {
        "treatment_lowers_blood_pressure",
        "cuff_reads_high_after_firmware",
        "week_of_bad_sleep",
        "adherence_falls_after_refill_gap",
        "older_people_walk_more_in_spring",
        "winter_infections",
    }
    for story in stories.values():
        assert story["who"]["count"] == len(set(story["who"]["user_ids"])) >= 11  # more than a small cell
        assert story["effect"]["sizes"].keys() == set(story["what"]["figures"])
        assert story["effect"]["compare"]
        assert story["when"]


def test_systolic_falls_by_12_after_treatment_starts(stories, systolic, landing):
    story = stories["treatment_lowers_blood_pressure"]
    starts = own_dates(story, "treated_from")
    change = split_by(of(story, systolic), "kept", starts, before=120, after=42).dropna()
    assert len(change) >= 15
    assert change.mean() == pytest.approx(-12, abs=1.5)  # seasons move it a little
    users = read_device(landing, "users", "users")
    records = of(story, users[(users["birth_year"] < 2030) & (users["time_zone"] != "Europe/Atlantis")])
    treated = records[records["is_bp_treated"]].sort_values(["user_id", "valid_from"])
    treated = treated.drop_duplicates("user_id")  # later versions are of other changes
    assert treated["user_id"].tolist() == story["who"]["user_ids"]
    assert pd.to_datetime(treated["valid_from"]).dt.strftime("%Y-%m-%d").tolist() == [
        str(starts[user].date()) for user in treated["user_id"]
    ]
    doses = of(story, read_device(landing, "medication_doses", "app"))
    bp_doses = doses[doses["medication_class"].isin(["ace inhibitor", "calcium channel blocker"])]
    first = bp_doses.groupby("user_id")["scheduled_at_local"].min()
    lag = first - first.index.map(starts)
    assert lag.min() >= pd.Timedelta(0)
    assert lag.median() < pd.Timedelta(days=2)


def test_a_model_of_cuffs_reads_8_high_from_a_firmware_date_on(stories, systolic):
    story = stories["cuff_reads_high_after_firmware"]
    mine = of(story, systolic)
    assert mine["source"].unique().tolist() == ["cuff Tensio M3"]
    treated = stories["treatment_lowers_blood_pressure"]["who"]["user_ids"]
    others = systolic[(systolic["source"] != "cuff Tensio M3") & ~systolic["user_id"].isin(treated)]
    day = story["when"]["first_day"]
    change, usual = (split_by(frame, "kept", day, before=120, after=0).dropna() for frame in (mine, others))
    assert change.mean() - usual.mean() == pytest.approx(8, abs=1.5)
    assert abs(usual.mean()) < 3


def test_a_week_of_bad_sleep(stories, landing):
    story = stories["week_of_bad_sleep"]
    nights = read_device(landing, "sleep_sessions", "watch").dropna(subset=["started_at", "ended_at"])
    nights = nights[
        ~nights["is_nap"] & (nights["ended_at"] > nights["started_at"]) & (nights["asleep_minutes"] > 0)
    ]
    wake = nights["ended_at_local"] + pd.to_timedelta(nights["utc_offset_minutes"], unit="min")
    nights = nights.assign(day=wake.dt.normalize())
    first, last = (pd.Timestamp(story["when"][name]) for name in ("first_day", "last_day"))
    in_week = nights["day"].between(first, last)
    around = nights["day"].between(first - pd.Timedelta(days=28), last + pd.Timedelta(days=28)) & ~in_week
    hours = nights["asleep_minutes"] / 60

    def change(mask):
        means = [hours[mask & part].groupby(nights["user_id"]).mean() for part in (in_week, around)]
        return (means[0] - means[1]).mean()

    is_mine = nights["user_id"].isin(story["who"]["user_ids"])
    assert change(is_mine) == pytest.approx(-1.2, abs=0.25)
    assert change(~is_mine) == pytest.approx(0, abs=0.12)


def test_adherence_falls_by_a_quarter_after_a_refill_gap(stories, landing):
    story = stories["adherence_falls_after_refill_gap"]
    doses = read_device(landing, "medication_doses", "app")
    doses = doses[~doses["is_as_needed"] & doses["scheduled_at"].notna()]
    mine = of(story, doses)
    day = mine["scheduled_at_local"].dt.normalize()
    gap_from, gap_to = (mine["user_id"].map(own_dates(story, name)) for name in ("gap_from", "gap_to"))
    taken = mine["status"] == "taken"
    before, after = (taken[part].groupby(mine["user_id"]).mean() for part in (day < gap_from, day >= gap_to))
    assert (after - before).mean() == pytest.approx(-0.25, abs=0.04)
    fills = of(story, read_device(landing, "medication_doses", "pharmacy"))
    longest = []
    for _, own in fills.sort_values("filled_at").groupby(["user_id", "medication"]):
        since = own["filled_at"].diff().dt.days - own["days_supply"].shift()
        longest.append((own["user_id"].iloc[0], since.max()))
    late = pd.DataFrame(longest, columns=["user_id", "days"]).groupby("user_id")["days"].max()
    assert (late >= 15).mean() > 0.9  # an early refill shortens it


def test_older_people_walk_more_in_spring(stories, landing):
    story = stories["older_people_walk_more_in_spring"]
    totals = read_device(landing, "activity_intervals", "daily")
    totals = totals[(totals["steps"] >= 0) & (totals["ended_at"] > totals["started_at"])]
    users = read_device(landing, "users", "users").drop_duplicates("user_id")
    young = users[users["birth_year"] > FIRST.year - 65]["user_id"]
    month = totals["started_at_local"].dt.month

    def ratio(mask):
        means = [
            totals[mask & month.isin(months)].groupby("user_id")["steps"].mean()
            for months in ([3, 4, 5], [2, 6, 9, 10])
        ]
        return (means[0] / means[1]).dropna()

    mine, others = (
        ratio(totals["user_id"].isin(story["who"]["user_ids"])),
        ratio(totals["user_id"].isin(young)),
    )
    assert len(mine) >= 11
    assert mine.mean() / others.mean() == pytest.approx(1.2, abs=0.06)
    assert others.mean() == pytest.approx(1, abs=0.05)


def test_infections_in_winter(stories, landing):
    story = stories["winter_infections"]
    logs = read_device(landing, "symptom_logs", "diary").dropna(subset="recorded_at")
    logs = logs[logs["symptom"].isin(["cough", "sore throat"])]
    day = logs["recorded_at_local"].dt.normalize()
    first, last = (pd.Timestamp(story["when"][name]) for name in ("first_day", "last_day"))
    weeks = pd.Timedelta(weeks=6)
    inside = day.between(first, last).sum() / 21
    around = (day.between(first - weeks, last + weeks) & ~day.between(first, last)).sum() / 84
    assert 3 < inside / around < 9
    readings = good_readings(read_device(landing, "health_readings", "home"))
    fevers = readings[(readings["metric"] == "body_temperature") & (readings["kept"] >= 38)]
    day = fevers["recorded_at_local"].dt.normalize()
    inside = day.between(first, last).sum() / 21
    around = (day.between(first - weeks, last + weeks) & ~day.between(first, last)).sum() / 84
    assert 3 < inside / around < 9


def test_adherence_is_as_put_in(landing):
    """Without the people of the stories: about 0.83 less 0.06 at weekends, and very different by person."""
    doses = read_device(landing, "medication_doses", "app")
    doses = doses[~doses["is_as_needed"] & doses["scheduled_at"].notna()]
    taken = (doses["status"] == "taken").astype(float)
    weekend = doses["scheduled_at_local"].dt.day_of_week >= 5
    assert taken[~weekend].mean() == pytest.approx(0.78, abs=0.06)
    dip = taken[~weekend].groupby(doses["user_id"]).mean() - taken[weekend].groupby(doses["user_id"]).mean()
    assert dip.mean() == pytest.approx(0.06, abs=0.02)
    by_person = taken.groupby(doses["user_id"]).mean()
    assert by_person.std() > 0.07
    assert np.ptp(by_person) > 0.3
