"""The stories that are told of people's use of the app and of what they pay."""

from __future__ import annotations

import numpy as np

from healthmate_bi_pipeline.sources.demo import app_use, lifetimes, subscriptions
from healthmate_bi_pipeline.sources.demo.app_events import LAUNCHED_FEATURE, LAUNCHED_USE_SHARE
from healthmate_bi_pipeline.sources.demo.billing import PRICE_RISE
from healthmate_bi_pipeline.sources.demo.clocks import NEVER, Flags, Integers
from healthmate_bi_pipeline.sources.demo.notifications import CAMPAIGN, NOTIFICATIONS
from healthmate_bi_pipeline.sources.demo.people import PLUS
from healthmate_bi_pipeline.sources.demo.story import Story, named, own_dates, users_of
from healthmate_bi_pipeline.sources.demo.world import World


def tell_app_stories(world: World) -> tuple[Story, ...]:
    """The stories of a block of people; the demo is long enough."""
    return (_lifetimes(world), _campaign(world), _price(world), _launch(world))


def _in_span(world: World, day: Integers, who: Flags) -> Integers:
    """Days of some people; none where they lie behind the last one."""
    return np.where(who & (day < world.block.span.days), day, NEVER)


def _lifetimes(world: World) -> Story:
    use, plans, calendar = world.app_use, world.subscriptions, world.roles.calendar
    everyone = np.ones(len(world.people), dtype=bool)
    is_disturbed = (use.returns_on < NEVER) | plans.leaves_for_price
    story = Story(
        name="people_fall_away_week_by_week",
        kind="lifetimes",
        dataset="login_sessions",
        figures={
            "alpha": lifetimes.ACTIVITY_ALPHA,
            "beta": lifetimes.ACTIVITY_BETA,
            "gamma": lifetimes.DROPOUT_GAMMA,
            "delta": lifetimes.DROPOUT_DELTA,
        },
        unit="parameters of BG/BB, a week (Monday to Sunday by the person's clock) being an opportunity",
        rule="everyone; until undisturbed_until all follow the model. disturbed_user_ids came back by the campaign "
        "or left because of the price later on; without them there are too few who fell away early, since those "
        "who came back are some of these",
        compare="from the week after the first session on: sessions in a week or none; who has no falls_away "
        "was there to the end, who has one opened the app never again from that day on",
        when={
            "undisturbed_until": str(calendar.span.date_of(calendar.campaign)),
            "rule": "falls_away is the Monday from which on the person is gone, the first time",
        },
        others=(("disturbed_user_ids", users_of(world, is_disturbed)),),
        own_dates=own_dates(world, falls_away=_in_span(world, use.falls_away, everyone)),
    )
    return named(story, world, everyone)


def _campaign(world: World) -> Story:
    use, calendar = world.app_use, world.roles.calendar
    story = Story(
        name="campaign_brings_lapsed_people_back",
        kind="campaign",
        dataset="login_sessions",
        figures={"returned_share": app_use.RETURN_SHARE},
        unit="share of who was addressed",
        rule=f"had fallen away {app_use.LAPSED_DAYS} days before and got the notification "
        f"{NOTIFICATIONS[CAMPAIGN]!r}; held_out_user_ids had too, and got none",
        compare=f"people with a session in the {app_use.RETURN_DAYS} days from first_day on, of the addressed; "
        "of the held-out there are none",
        when={
            "first_day": str(calendar.span.date_of(calendar.campaign)),
            "rule": "returns_on is the day of the first session; nearly all fall away again, some weeks later",
        },
        others=(("held_out_user_ids", users_of(world, use.is_held_out)),),
        own_dates=own_dates(world, returns_on=_in_span(world, use.returns_on, use.is_addressed)),
    )
    return named(story, world, use.is_addressed)


def _price(world: World) -> Story:
    plans, calendar = world.subscriptions, world.roles.calendar
    story = Story(
        name="people_leave_after_price_change",
        kind="cohort",
        dataset="login_sessions",
        figures={"left_share": subscriptions.PRICE_LEAVER_SHARE},
        unit="share of who paid for the plan",
        rule=f"paid for {PLUS!r} on first_day, from when on it costs {PRICE_RISE} times as much",
        compare=f"cancelled within {subscriptions.PRICE_LEAVING_DAYS} days (billing_events, and a version of "
        "users with the plan 'free'), and no session from the Monday after on; some others cancel as usual",
        when={
            "first_day": str(calendar.span.date_of(calendar.price_change)),
            "rule": "cancelled_on is the day on which who leaves for the price cancels",
        },
        own_dates=own_dates(world, cancelled_on=_in_span(world, plans.cancelled_on, plans.leaves_for_price)),
    )
    return named(story, world, plans.is_hit_by_price)


def _launch(world: World) -> Story:
    use, calendar = world.app_use, world.roles.calendar
    who = use.is_young & use.is_open[:, calendar.launch :].any(axis=1)
    story = Story(
        name="launched_feature_is_adopted",
        kind="cohort",
        dataset="app_events",
        figures={"adopted_share": app_use.ADOPTER_SHARE, "days_to_adopt": app_use.ADOPTION_DAYS},
        unit="share of the cohort in the long run; mean days from the launch",
        rule=f"less than {app_use.LAUNCH_AGE} years old in the year of the first day (users.birth_year), and "
        "opened the app since the launch",
        compare=f"feature_used {LAUNCHED_FEATURE!r}: before adopts_from never, from then on in "
        f"{LAUNCHED_USE_SHARE:.0%} of the sessions; the share of adopters t days after the launch is "
        "adopted_share × (1 − exp(−t / days_to_adopt)), among who still opens the app",
        when={"first_day": str(calendar.span.date_of(calendar.launch)), "feature": LAUNCHED_FEATURE},
        own_dates=own_dates(world, adopts_from=_in_span(world, use.adopts_from, who)),
    )
    return named(story, world, who)
