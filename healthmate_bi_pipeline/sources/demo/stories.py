"""The stories that are told of people's health, and all stories as a file that can be checked against."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from healthmate_bi_pipeline.sources.demo import roles as parts
from healthmate_bi_pipeline.sources.demo.app_stories import tell_app_stories
from healthmate_bi_pipeline.sources.demo.clocks import NEVER
from healthmate_bi_pipeline.sources.demo.devices import CUFF, HIGH_READING_CUFF
from healthmate_bi_pipeline.sources.demo.regimes import DRUGS
from healthmate_bi_pipeline.sources.demo.roles import Calendar
from healthmate_bi_pipeline.sources.demo.story import Story, days_of, named, own_dates
from healthmate_bi_pipeline.sources.demo.world import World

FILE_NAME = "stories.json"


def tell_stories(world: World) -> tuple[Story, ...]:
    """The stories of a block; none where the demo is too short."""
    calendar = world.roles.calendar
    if not calendar.has_stories:
        return ()
    everyone = np.ones(len(world.people), dtype=bool)
    stories = [
        _treatment(world),
        named(_firmware(calendar), world, world.roles.has_high_cuff),
        _gap(world),
        named(_spring(calendar), world, world.roles.is_active_in_spring),
        *tell_app_stories(world),
    ]
    if calendar.bad_sleep < NEVER:
        stories.append(named(_bad_sleep(calendar), world, world.roles.sleeps_badly))
    if calendar.infections < NEVER:
        stories.append(named(_infections(calendar), world, everyone))
    return tuple(sorted(stories, key=lambda story: story.name))


def write_stories(folder: Path, stories: Sequence[Story], about: dict[str, Any]) -> Path:
    """Write the file; it is replaced as a whole.

    Args:
        folder: where to.
        stories: what is told.
        about: what else is known of the demo, for the top of the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, part = folder / FILE_NAME, folder / f"{FILE_NAME}.part"
    text = json.dumps({"format": 1, **about, "stories": [story.as_json() for story in stories]}, indent=1)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
    return path


def _treatment(world: World) -> Story:
    story = Story(
        name="treatment_lowers_blood_pressure",
        kind="step_per_person",
        dataset="health_readings",
        figures={
            "avg_blood_pressure_systolic": parts.TREATMENT_SYSTOLIC,
            "avg_blood_pressure_diastolic": parts.TREATMENT_DIASTOLIC,
        },
        unit="mmHg",
        rule="has hypertension, was untreated, and begins to take a drug: users.is_bp_treated turns true, "
        "the first doses and refills are of that day",
        compare=f"mean from {parts.TREATMENT_DAYS_TO_EFFECT} days after treated_from on minus mean before it, "
        "per person; seasons move a person by up to 3, both ways",
        when={"rule": f"from treated_from on; in full after about {parts.TREATMENT_DAYS_TO_EFFECT} days"},
        own_dates=own_dates(world, treated_from=world.roles.treated_from),
    )
    return named(story, world, world.roles.treated_from < NEVER)


def _firmware(calendar: Calendar) -> Story:
    return Story(
        name="cuff_reads_high_after_firmware",
        kind="step_by_device",
        dataset="health_readings",
        figures={
            "avg_blood_pressure_systolic": parts.FIRMWARE_SYSTOLIC,
            "avg_blood_pressure_diastolic": parts.FIRMWARE_DIASTOLIC,
        },
        unit="mmHg",
        rule=f"owns the model {CUFF.models[HIGH_READING_CUFF]!r}: health_readings.source",
        compare="mean from first_day on minus mean before, per person, minus the same of the other models' "
        "owners who begin no treatment",
        when={"first_day": str(calendar.span.date_of(calendar.firmware))},
    )


def _bad_sleep(calendar: Calendar) -> Story:
    return Story(
        name="week_of_bad_sleep",
        kind="week",
        dataset="sleep_sessions",
        figures={"avg_sleep_hours": parts.BAD_SLEEP_HOURS},
        unit="h",
        rule=f"lives in {parts.BAD_SLEEP_ZONE} from first to last",
        compare="mean hours asleep of the nights of the week (wake date) minus the mean of the four weeks "
        "before and the four after, per person",
        when=days_of(calendar, calendar.bad_sleep, 7),
    )


def _gap(world: World) -> Story:
    regimes = world.regimes
    story = Story(
        name="adherence_falls_after_refill_gap",
        kind="step_per_person",
        dataset="medication_doses",
        figures={"medication_adherence_rate": parts.GAP_ADHERENCE},
        unit="share of scheduled doses",
        rule="a refill came three weeks too late; none of that drug's doses were taken meanwhile",
        compare="taken / scheduled from gap_to on minus the same before gap_from, per person, all drugs; "
        "drugs that lower blood pressure, blood sugar or lipids",
        when={
            "rule": "nothing of the drug from gap_from until before gap_to, less of all drugs from gap_to on",
            "drugs": [drug.name for drug in DRUGS],
        },
        own_dates=own_dates(world, gap_from=regimes.gap_from, gap_to=regimes.gap_to),
    )
    return named(story, world, world.roles.has_gap)


def _spring(calendar: Calendar) -> Story:
    return Story(
        name="older_people_walk_more_in_spring",
        kind="season",
        dataset="activity_intervals",
        figures={"avg_steps_per_day": parts.SPRING_FACTOR},
        unit="times",
        rule=f"born {calendar.span.first.year - parts.SPRING_AGE} or earlier, lives north of the equator and "
        "does not move",
        compare="mean steps a day of March to May over that of February, June, September and October, per "
        "person, divided by the same of younger people",
        when={"months": list(parts.SPRING_MONTHS)},
    )


def _infections(calendar: Calendar) -> Story:
    return Story(
        name="winter_infections",
        kind="weeks",
        dataset="symptom_logs",
        figures={"total_symptoms_logged": parts.WINTER_ILLNESS_FACTOR},
        unit="times as many infections that begin",
        rule="everyone",
        compare="symptoms logged a day (cough, sore throat), and body temperatures of 38 °C and more, against "
        "the six weeks before and after",
        when=days_of(calendar, calendar.infections, 21),
    )
