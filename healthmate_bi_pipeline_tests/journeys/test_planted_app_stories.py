"""What was planted in the use of the app comes out of the finished figures: who, when, how much, and in nobody else.

The stories' own file says who, when and how large; here only the warehouse is read. A share of n people scatters by
sqrt(p (1 - p) / n) around the one that was put in; three times that are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from healthmate_bi_pipeline.domain.bgbb import BgBb, Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline_tests.journeys.planted import NOW, Stories, days, first_day, own_days, plant, size
from healthmate_bi_pipeline_tests.running import opened, query, refresh

pytestmark = pytest.mark.slow

FIGURES = (
    "user_engagement/daily", "user_engagement/weekly", "user_engagement/starts", "user_engagement/retention",
    "engagement_groups/weekly",
)  # fmt: skip
LAPSED, PRICE, LAUNCH, LIFETIMES = (
    "campaign_brings_lapsed_people_back", "people_leave_after_price_change", "launched_feature_is_adopted",
    "people_fall_away_week_by_week",
)  # fmt: skip
AWAY_DAYS = 28
People = set[int]


@dataclass(frozen=True)
class Made:
    """What the warehouse says, and the stories by name.

    Attributes:
        daily: the rows of people and days.
        lifecycle: of people and weeks.
        retention: of people and weeks, by the Monday that ends the week.
        reach: of features, by week.
        first_used: the first day of each feature.
        stories: what was put in.
    """

    daily: pd.DataFrame
    lifecycle: pd.DataFrame
    retention: pd.DataFrame
    reach: pd.DataFrame
    first_used: pd.Series[pd.Timestamp]
    stories: Stories

    @property
    def active(self) -> pd.DataFrame:
        """The days on which people were active."""
        return self.daily[self.daily["active_days"] > 0]

    def active_between(self, start: pd.Timestamp, end: pd.Timestamp) -> People:
        """Who was active from a day until before another."""
        of = self.active
        return set(of.loc[(of["day"] >= start) & (of["day"] < end), "user_id"])


@pytest.fixture(scope="module")
def made(new_settings: Callable[[], Settings]) -> Made:
    """All days and weeks."""
    settings = new_settings()
    stories = plant(settings, ("users", "login_sessions", "app_events"))
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=("staged", "raw", "state", "parameters"))
        refresh(pipeline, groups=("user_engagement", "engagement_groups"), names=FIGURES)
        people = "FROM bi_user_engagement_analytics WHERE aggregation_period ="
        daily = query(
            pipeline,
            "SELECT user_id, period_start AS day, active_days, notifications_received, notifications_opened,"
            f" features_used, features_used_count, feature_adoption_rate {people} 'daily'",
        )
        lifecycle = query(pipeline, f"SELECT user_id, period_start AS week, lifecycle {people} 'weekly'")
        retention = query(pipeline, "SELECT * FROM bi_user_retention")
        reach = query(pipeline, "SELECT * FROM bi_engagement_feature_use WHERE aggregation_period = 'weekly'")
        features = query(pipeline, "SELECT * FROM bi_engagement_features").set_index("feature")
    return Made(
        daily=daily,
        lifecycle=lifecycle,
        retention=retention.assign(week_end=pd.to_datetime(retention["week_end"])),
        reach=reach.pivot(index="period_start", columns="feature", values="reach"),
        first_used=pd.to_datetime(features["first_used_on"]),
        stories=stories,
    )


def people(made: Made, story: str, who: str = "user_ids") -> People:
    """The people of a story."""
    return set(made.stories[story]["who"][who])


def within(share: float, n: int) -> float:
    """How far the share of n people may lie from the one that was put in."""
    return 3 * float(share * (1 - share) / n) ** 0.5


class TestFallingAway:
    """Looked at up to the Monday before the campaign: nobody is disturbed then, and all follow the model."""

    def test_the_model_that_was_put_in_is_not_to_be_told_from_the_fitted_one(self, made: Made) -> None:
        """Twice the difference of the log-likelihoods is chi-squared of four parameters: 18.5 once in a thousand."""
        planted = (size(made.stories[LIFETIMES], name) for name in ("alpha", "beta", "gamma", "delta"))
        alpha, beta, gamma, delta = planted
        of = at(made, monday_before_campaign(made))
        patterns = Patterns.of(
            *(of[name].tolist() for name in ("active_weeks", "last_active_week", "weeks")), [1] * len(of)
        ).counted()
        best = fit(patterns).log_likelihood

        def is_refuted(model: BgBb) -> bool:
            return 2 * (best - model.log_likelihood(patterns)) > float(chi2.ppf(0.999, 4))

        assert len(of) > 350
        assert not is_refuted(BgBb(alpha, beta, gamma, delta))
        assert is_refuted(BgBb(alpha, beta, 2 * gamma, delta))  # who fall away twice as fast
        assert is_refuted(BgBb(alpha, beta, gamma / 4, delta))
        assert is_refuted(BgBb(beta, alpha, gamma, delta))  # who open the app in fewer weeks
        assert is_refuted(BgBb(10 * alpha, 10 * beta, gamma, delta))  # who are all alike

    def test_without_the_disturbed_too_few_fall_away(self, made: Made) -> None:
        """What the story's rule warns of: who came back by the campaign had fallen away early."""
        falls_away, monday = own_days(made.stories[LIFETIMES], "falls_away"), monday_before_campaign(made)
        gone = {user for user, day in falls_away.items() if day <= monday}
        disturbed = people(made, LIFETIMES, "disturbed_user_ids")
        assert monday + days(7) > first_day(made.stories[LAPSED]) >= monday
        assert len(gone - disturbed) < 0.85 * len(gone)

    def test_nobody_who_is_gone_has_a_week_after_it(self, made: Made) -> None:
        falls_away = own_days(made.stories[LIFETIMES], "falls_away")
        returned = set(own_days(made.stories[LAPSED], "returns_on"))
        last = made.active.groupby("user_id")["day"].max()
        gone = [user for user in falls_away if user not in returned and user in last.index]
        assert len(gone) > 80
        assert all(last[user] < falls_away[user] for user in gone)
        # Nor long before: the last day lies weeks, and not months, before the day from which on they are gone.
        assert np.median([(falls_away[user] - last[user]).days for user in gone]) < 14

    def test_alive_probabilities_are_right_on_who_is_gone(self, made: Made) -> None:
        """As many are alive as was said, within four standard errors: chance makes one, the frozen fit another."""
        falls_away = pd.Series(own_days(made.stories[LIFETIMES], "falls_away"))
        for weeks_before in (0, 4, 8):
            monday = monday_before_campaign(made) - days(7 * weeks_before)
            of = at(made, monday)
            said = of["probability_alive"]
            is_gone = of["user_id"].map(falls_away) <= monday
            noise = float((said * (1 - said)).sum()) ** 0.5
            assert is_gone.sum() >= 30
            assert said.sum() == pytest.approx((~is_gone).sum(), abs=4 * noise)
            assert said[~is_gone].mean() - said[is_gone].mean() > 0.4
            others = np.roll(is_gone.to_numpy(), 7)  # as many, but somebody else
            assert abs(said[~others].mean() - said[others].mean()) < 0.15


def monday_before_campaign(made: Made) -> pd.Timestamp:
    """The Monday of the week of the campaign, which ends the week before."""
    day = pd.Timestamp(made.stories[LIFETIMES]["when"]["undisturbed_until"])
    return day - days(day.day_of_week)


def at(made: Made, monday: pd.Timestamp) -> pd.DataFrame:
    """What is known of everyone at the end of a week."""
    of = made.retention[made.retention["week_end"] == monday].sort_values("user_id")
    return of[of["weeks"] > 0]


class TestCampaign:
    def test_it_brings_back_the_share_that_was_put_in(self, made: Made) -> None:
        story = made.stories[LAPSED]
        day, addressed, held_out = (
            first_day(story),
            people(made, LAPSED),
            people(made, LAPSED, "held_out_user_ids"),
        )
        back = made.active_between(day, day + days(4))
        share = size(story, "returned_share")
        assert len(addressed) >= 20
        assert len(back & addressed) / len(addressed) == pytest.approx(
            share, abs=within(share, len(addressed))
        )
        assert not back & held_out
        assert not made.active_between(day - days(AWAY_DAYS), day) & (addressed | held_out)

    def test_each_is_back_on_the_day_that_was_put_in(self, made: Made) -> None:
        returns = own_days(made.stories[LAPSED], "returns_on")
        day = first_day(made.stories[LAPSED])
        seen = made.active[made.active["day"] >= day - days(AWAY_DAYS)].groupby("user_id")["day"].min()
        assert {user: seen[user] for user in returns} == returns
        back = made.daily.set_index(["user_id", "day"]).loc[list(returns.items())]
        assert (back["notifications_opened"] >= 1).mean() > 0.9  # a row in a hundred is spoiled
        week = made.lifecycle[made.lifecycle["week"] == monday_before_campaign(made)]
        assert set(week.set_index("user_id").loc[list(returns), "lifecycle"]) == {"resurrecting"}

    def test_only_who_was_addressed_got_the_notification(self, made: Made) -> None:
        day = first_day(made.stories[LAPSED])
        got = made.daily[(made.daily["day"] == day) & (made.daily["notifications_received"] > 0)]["user_id"]
        addressed, held_out = people(made, LAPSED), people(made, LAPSED, "held_out_user_ids")
        assert len(addressed & set(got)) / len(addressed) > 0.9
        assert len(held_out & set(got)) / len(held_out) < 0.25  # of other kinds: 3 % a day

    def test_in_other_weeks_far_fewer_come_back(self, made: Made) -> None:
        """Of who was away for 28 days by the warehouse: some had only not opened the app for as long."""
        day = first_day(made.stories[LAPSED])

        def share_back(first: pd.Timestamp) -> float:
            recent = made.active_between(first - days(AWAY_DAYS), first)
            away = made.active_between(pd.Timestamp.min, first) - recent
            assert len(away) > 40
            return len(away & made.active_between(first, first + days(4))) / len(away)

        others = [share_back(day + days(7 * weeks)) for weeks in (-8, -6, -4, -2, 2, 4, 6)]
        assert share_back(day) > 2 * np.mean(others)
        assert share_back(day) > max(others)


class TestPriceChange:
    def test_the_share_that_was_put_in_is_gone_seven_weeks_later(self, made: Made) -> None:
        """Beside those who would not have been there anyway, as others are not; noise of both groups."""
        day, hit, everyone = first_day(made.stories[PRICE]), people(made, PRICE), set(made.daily["user_id"])
        left, noise = left_beyond_others(made, day, hit, everyone - hit)
        assert left == pytest.approx(size(made.stories[PRICE], "left_share"), abs=3 * noise)
        assert left > 5 * noise

    @pytest.mark.parametrize("weeks_before", [11, 14])
    def test_before_it_they_stay_like_others(self, made: Made, weeks_before: int) -> None:
        day, hit, everyone = first_day(made.stories[PRICE]), people(made, PRICE), set(made.daily["user_id"])
        left, noise = left_beyond_others(made, day - days(7 * weeks_before), hit, everyone - hit)
        assert left < 3 * noise

    def test_who_leaves_is_gone_from_the_monday_after(self, made: Made) -> None:
        day, leaves = first_day(made.stories[PRICE]), own_days(made.stories[PRICE], "cancelled_on")
        last = made.active.groupby("user_id")["day"].max()
        here = made.active_between(day - days(28), day) & set(leaves)
        assert len(here) > 30
        assert all(last[user] < leaves[user] + days(7 - leaves[user].day_of_week) for user in here)
        assert np.median([(leaves[user] - last[user]).days for user in here]) < 10  # and not long before
        stay = made.active_between(day - days(28), day) & people(made, PRICE) - set(leaves)
        assert len(stay & made.active_between(day + days(49), day + days(77))) / len(stay) > 0.8

    def test_the_weeks_of_the_last_use_are_those_after_it(self, made: Made) -> None:
        """Of who was hit: far more people were there for the last time in the seven weeks after than before."""
        day = first_day(made.stories[PRICE])
        last = made.active.groupby("user_id")["day"].max()
        last = last[last.index.isin(people(made, PRICE))]
        before, after = (
            last.between(start, start + days(49), inclusive="left").sum() for start in (day - days(56), day)
        )
        assert after > 2 * before
        assert after >= 0.8 * len(
            made.active_between(day, day + days(49)) & set(own_days(made.stories[PRICE], "cancelled_on"))
        )

    def test_their_alive_probability_falls_and_that_of_who_stays_does_not(self, made: Made) -> None:
        day, leaves = first_day(made.stories[PRICE]), set(own_days(made.stories[PRICE], "cancelled_on"))
        monday = day - days(day.day_of_week)
        before, after = (at(made, monday + days(7 * weeks)).set_index("user_id") for weeks in (0, 10))
        change = (after["probability_alive"] - before["probability_alive"]).dropna()
        hit = change.index.isin(people(made, PRICE))
        assert change[change.index.isin(leaves)].mean() < -0.4
        assert change[hit & ~change.index.isin(leaves)].mean() > -0.12
        assert change[~hit].mean() > -0.12


def left_beyond_others(
    made: Made, day: pd.Timestamp, who: Collection[int], others: Collection[int]
) -> tuple[float, float]:
    """The share of people that is not there seven weeks after a day, beyond what others tell; and its error."""
    shares, errors = [], []
    for group in (who, others):
        here = made.active_between(day - days(28), day) & set(group)
        gone = here - made.active_between(day + days(49), day + days(77))
        share = len(gone) / len(here)
        assert len(here) > 60
        shares.append(share)
        errors.append(share * (1 - share) / len(here))
    return (shares[0] - shares[1]) / (1 - shares[1]), sum(errors) ** 0.5 / (1 - shares[1])


class TestLaunch:
    def test_it_is_there_from_its_day_on(self, made: Made) -> None:
        """The features that are known are one more from then on, which is what adoption rates are divided by."""
        story = made.stories[LAUNCH]
        launch, feature = first_day(story), story["when"]["feature"]
        first = made.first_used[feature]
        assert launch <= first < launch + days(7)
        assert (made.first_used.drop(feature) < launch - days(90)).all()
        used = made.daily[made.daily["feature_adoption_rate"] > 0]
        known = (used["features_used_count"] / used["feature_adoption_rate"]).round(9)
        settled = used["day"] >= made.first_used.drop(feature).max()
        assert set(known[settled & (used["day"] < first)]) == {len(made.first_used) - 1}
        assert set(known[used["day"] >= first]) == {len(made.first_used)}

    def test_its_cohort_adopts_it_at_the_pace_that_was_put_in(self, made: Made) -> None:
        """Used in half of the visits, which are days apart: first use comes up to three weeks after adoption."""
        story = made.stories[LAUNCH]
        share, pace = size(story, "adopted_share"), size(story, "days_to_adopt")
        assert fits_adoption(made, share, pace) == {30: True, 60: True, 90: True, 120: True}
        assert not all(fits_adoption(made, share, 4 * pace).values())
        assert not all(fits_adoption(made, share, pace / 4).values())
        assert not all(fits_adoption(made, share / 2, pace).values())
        assert not all(fits_adoption(made, 1.0, pace).values())

    def test_nobody_uses_it_before_they_adopt_it_and_most_soon_after(self, made: Made) -> None:
        adopts = own_days(made.stories[LAUNCH], "adopts_from")
        first = first_uses(made)
        late = pd.Series({user: (first[user] - adopts[user]).days for user in adopts if user in first.index})
        assert len(late) > 80
        assert late.min() >= 0
        assert late.median() <= 10
        assert not set(first.index) & people(made, LAUNCH) - set(adopts)

    def test_older_people_hardly_do(self, made: Made) -> None:
        launch = first_day(made.stories[LAUNCH])
        cohort, others = (adopted_by(made, launch + days(120), is_cohort=is_it) for is_it in (True, False))
        assert others < cohort / 4

    def test_its_reach_grows_and_that_of_other_features_does_not(self, made: Made) -> None:
        story = made.stories[LAUNCH]
        launch, feature = first_day(story), story["when"]["feature"]
        before = made.reach[made.reach.index + days(7) <= launch]
        early = made.reach[(made.reach.index >= launch) & (made.reach.index < launch + days(21))]
        late = made.reach[(made.reach.index >= launch + days(90)) & (made.reach.index < NOW - days(17))]
        assert before[feature].isna().all()
        assert late[feature].mean() > 2.5 * early[feature].mean()
        assert (late.mean() / before.mean()).drop(feature).between(0.75, 1.3).all()


def first_uses(made: Made) -> pd.Series[pd.Timestamp]:
    """The day on which each person first used the launched feature."""
    feature = made.stories[LAUNCH]["when"]["feature"]
    is_used = made.daily["features_used"].map(lambda names: feature in (names or ()))
    found: pd.Series[pd.Timestamp] = made.daily[is_used].groupby("user_id")["day"].min()
    return found


def adopted_by(made: Made, day: pd.Timestamp, *, is_cohort: bool) -> float:
    """The share of people that has used it by a day, of the cohort or all others who still open the app then."""
    cohort = people(made, LAUNCH)
    there = made.active_between(day, pd.Timestamp.max)
    of = there & cohort if is_cohort else there - cohort
    assert len(of) > 90
    uses = first_uses(made)
    return len(of & set(uses.index[uses <= day])) / len(of)


def fits_adoption(made: Made, share: float, pace: float) -> dict[int, bool]:
    """Whether the warehouse's share fits the curve, so many days after the launch."""
    fits = {}
    for number in (30, 60, 90, 120):
        found = adopted_by(made, first_day(made.stories[LAUNCH]) + days(number), is_cohort=True)
        low, high = (share * (1 - float(np.exp(-max(since, 0) / pace))) for since in (number - 21, number))
        fits[number] = low - within(low, 100) <= found <= high + within(high, 100)
    return fits
