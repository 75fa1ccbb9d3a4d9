"""The raw datasets: columns, keys, the day a row belongs to.

A file in ``landing/<dataset>/`` has these columns in any order; more columns may exist and are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.catalog.readings import CONTEXTS, METRICS


@dataclass(frozen=True)
class Field(Column):
    """A column of a raw dataset.

    A ``Type.TIMESTAMP`` is read with or without an offset: with one it is an instant, without it is wall-clock
    time where the person was. In the lake it becomes two columns, ``<name>`` (the instant, UTC) and
    ``local_<name>`` (wall-clock); what the row does not say is filled in from the person's time zone.

    Attributes:
        is_required: a file without this column is refused.
        codes: the values that a text may have, if they are limited.
        limits: the hard limits of a number, inclusive.
        is_caseless: a text that is kept in small letters; codes always are.
    """

    is_required: bool = False
    codes: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    is_caseless: bool = False


@dataclass(frozen=True)
class Dataset:
    """One kind of raw rows.

    Attributes:
        keys: what a row is known by: the first of these whose columns all have a value. Of the last one a missing
            value equals another missing one.
        has_keyless_rows: a row that has none of the keys whole is known by nothing: it is never taken for another
            row, however equal they are (two clicks are two clicks).
        id_column: the column by which a corrected row is found on whatever day the old one was.
        moment: the field whose day the row is staged under, then its stand-in where that is empty.
        day_of: the field whose wall-clock day the row belongs to, then its stand-in.
        days_before: how many staged days before its own day a row may lie.
        days_after: the same after; a wall clock is at most 14 hours away from UTC.
        longest_hours: what a stretch of time may last.
        day_limits: the most that the rows of a person and source may add up to on a day, by field.
        version: raised when the rules change, so that the raw days are made again.
        has_people: whether its rows are about people; those of machines are in UTC.
        is_in_utc: its times and days are those of UTC, though its rows are about people.
    """

    name: str
    description: str
    fields: tuple[Field, ...]
    keys: tuple[tuple[str, ...], ...]
    moment: tuple[str, ...] = ()
    day_of: tuple[str, ...] = ()
    id_column: str | None = None
    days_before: int = 1
    days_after: int = 1
    longest_hours: int | None = None
    day_limits: tuple[tuple[str, float], ...] = ()
    version: int = 1
    has_keyless_rows: bool = False
    has_people: bool = True
    is_in_utc: bool = False
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {field_.name: field_ for field_ in self.fields})

    @property
    def has_wall_clock(self) -> bool:
        """Whether its times and days are those of the people's clocks."""
        return self.has_people and not self.is_in_utc

    @property
    def is_partitioned(self) -> bool:
        """Whether its rows belong to days."""
        return bool(self.moment)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns without which a file is refused."""
        return tuple(field_.name for field_ in self.fields if field_.is_required)

    def field_named(self, name: str) -> Field:
        """The field with this name.

        Raises:
            KeyError: there is none.
        """
        return self._by_name[name]


UTC_OFFSET_MINUTES = (-12 * 60, 14 * 60)
"""What clocks on Earth show apart from UTC."""

USER_ID = Field(
    "user_id", Type.INTEGER, "The person, by HealthMate's number.", is_required=True, is_nullable=False
)

COMMON: tuple[Field, ...] = (
    Field("source", Type.TEXT, "The device or program that the row comes from; 'unknown' when it does not say."),
    Field(
        "utc_offset_minutes", Type.INTEGER, "Wall-clock time minus UTC where the person was.", "min",
        limits=UTC_OFFSET_MINUTES,
    ),
    Field("updated_at", Type.TIMESTAMP, "When the source last changed the row; the last version counts."),
    Field("is_deleted", Type.BOOLEAN, "The row takes back the earlier versions of its key."),
    Field("origin", Type.TEXT, "File and line that an importer made the row from."),
)  # fmt: skip

NICOTINE_USES = ("never", "quit_5_years", "quit_1_year", "quit_recently", "e_cigarette", "smoker")
"""Never; quit at least 5 years ago, 1 to 5 years ago, less than 1 year ago; vapes; smokes."""

USERS = Dataset(
    "users",
    "The people, in versions: each is valid from its date until the next one.",
    (
        USER_ID,
        Field("valid_from", Type.TIMESTAMP, "From when this version of the person's record counts."),
        Field("created_at", Type.TIMESTAMP, "When the account was made."),
        Field("time_zone", Type.TEXT, "IANA name of the time zone that the person lives in."),
        Field("birth_year", Type.INTEGER, "Year of birth.", limits=(1880, 2100)),
        Field("sex", Type.TEXT, "Sex in the record.", codes=("female", "male", "other")),
        Field("height_cm", Type.NUMBER, "Body height.", "cm", limits=(50, 260)),
        Field("plan", Type.TEXT, "The plan that the person pays for."),
        Field("is_bp_treated", Type.BOOLEAN, "Takes drugs against high blood pressure."),
        Field("has_diabetes", Type.BOOLEAN, "Has diabetes."),
        Field("is_lipid_treated", Type.BOOLEAN, "Takes drugs that lower blood lipids."),
        Field("nicotine_use", Type.TEXT, "Smoking and vaping, now or in the past.", codes=NICOTINE_USES),
        Field("mepa_score", Type.NUMBER, "Points of the diet questionnaire MEPA.", limits=(0, 16)),
        *COMMON,
    ),
    keys=(("user_id", "valid_from"), ("user_id",)),
)

HEALTH_READINGS = Dataset(
    "health_readings",
    "Single measurements; a blood pressure is two rows with one reading_id.",
    (
        USER_ID,
        Field("reading_id", Type.TEXT, "The measurement, where the source numbers them."),
        Field(
            "metric", Type.TEXT, "What was measured.", is_required=True, is_nullable=False,
            codes=tuple(metric.code for metric in METRICS),
        ),
        Field("value", Type.NUMBER, "The value, in the row's unit.", is_required=True, is_nullable=False),
        Field("unit", Type.TEXT, "The unit of the value."),
        Field("context", Type.TEXT, "The circumstances.", codes=CONTEXTS),
        Field("recorded_at", Type.TIMESTAMP, "When it was measured.", is_required=True, is_nullable=False),
        *COMMON,
    ),
    keys=(("user_id", "reading_id", "metric"), ("user_id", "metric", "recorded_at", "source")),
    moment=("recorded_at",),
    day_of=("recorded_at",),
    id_column="reading_id",
    version=2,
)  # fmt: skip

ACTIVITY_INTERVALS = Dataset(
    "activity_intervals",
    "Steps, calories and exercise over stretches of time, or a device's own total of a day.",
    (
        USER_ID,
        Field("started_at", Type.TIMESTAMP, "Start of the stretch.", is_required=True, is_nullable=False),
        Field("ended_at", Type.TIMESTAMP, "End of the stretch, exclusive.", is_required=True, is_nullable=False),
        Field("steps", Type.NUMBER, "Steps.", limits=(0, 100_000)),
        Field("calories_kcal", Type.NUMBER, "Energy burned.", "kcal", limits=(0, 20_000)),
        Field("moderate_minutes", Type.NUMBER, "Minutes of moderate activity.", "min", limits=(0, 1_560)),
        Field("vigorous_minutes", Type.NUMBER, "Minutes of vigorous activity.", "min", limits=(0, 1_560)),
        Field("distance_m", Type.NUMBER, "Distance covered.", "m", limits=(0, 500_000)),
        Field(
            "intensity_points", Type.NUMBER,
            "Sum over minutes of 0 sedentary, 1 light, 2 moderate, 3 vigorous.", limits=(0, 4_680),
        ),
        Field("is_daily_total", Type.BOOLEAN, "The device's own total of the day that it starts in."),
        *COMMON,
    ),
    keys=(("user_id", "source", "started_at", "ended_at"),),
    moment=("started_at",),
    day_of=("started_at",),
    days_before=3,
    longest_hours=48,
    day_limits=(("steps", 100_000), ("calories_kcal", 20_000)),
    version=2,
)  # fmt: skip

SLEEP_SESSIONS = Dataset(
    "sleep_sessions",
    "Sleep; a night belongs to the wall-clock day of waking.",
    (
        USER_ID,
        Field("started_at", Type.TIMESTAMP, "Start of the session."),
        Field("ended_at", Type.TIMESTAMP, "End of the session."),
        Field("night_on", Type.DATE, "The wake date, where only the date is known."),
        Field(
            "asleep_minutes", Type.NUMBER, "Minutes asleep.", "min", is_required=True, is_nullable=False,
            limits=(0, 1_440),
        ),
        Field("in_bed_minutes", Type.NUMBER, "Minutes in bed.", "min", limits=(0, 1_440)),
        Field("is_nap", Type.BOOLEAN, "A nap: counted apart from the night."),
        *COMMON,
    ),
    keys=(("user_id", "source", "started_at"), ("user_id", "source", "night_on")),
    moment=("started_at", "night_on"),
    day_of=("ended_at", "night_on"),
    days_before=2,
    longest_hours=24,
    day_limits=(("asleep_minutes", 1_440),),
    version=2,
)  # fmt: skip

DOSE_STATUSES = (TAKEN, SKIPPED, UNLOGGED, FILLED) = ("taken", "skipped", "unlogged", "filled")

MEDICATION_DOSES = Dataset(
    "medication_doses",
    "Doses of drugs as planned, taken, skipped or left unlogged; and refills, which are the rows with a filled_at.",
    (
        USER_ID,
        Field("dose_id", Type.TEXT, "The dose or refill, where the source numbers them."),
        Field(
            "medication", Type.TEXT, "The drug; case does not matter.", is_required=True, is_nullable=False,
            is_caseless=True,
        ),
        Field("medication_class", Type.TEXT, "The class that the drug belongs to; case does not matter.", is_caseless=True),
        Field("scheduled_at", Type.TIMESTAMP, "When the dose was to be taken."),
        Field("taken_at", Type.TIMESTAMP, "When it was taken."),
        Field("filled_at", Type.TIMESTAMP, "When a pharmacy handed the drug out: of a refill."),
        Field("status", Type.TEXT, "What became of it; where empty, told by the times.", codes=DOSE_STATUSES),
        Field("is_as_needed", Type.BOOLEAN, "Taken when needed, on no schedule."),
        Field("days_supply", Type.NUMBER, "Days that a refill lasts.", "d", limits=(1, 400)),
        *COMMON,
    ),
    keys=(
        ("user_id", "dose_id"),
        ("user_id", "medication", "scheduled_at", "taken_at", "filled_at", "source"),
    ),
    moment=("scheduled_at", "taken_at", "filled_at"),
    day_of=("scheduled_at", "taken_at", "filled_at"),
    id_column="dose_id",
)  # fmt: skip

SYMPTOM_LOGS = Dataset(
    "symptom_logs",
    "Symptoms as people log them.",
    (
        USER_ID,
        Field(
            "symptom", Type.TEXT, "What was felt; case does not matter.", is_required=True, is_nullable=False,
            is_caseless=True,
        ),
        Field("severity", Type.NUMBER, "How bad it was, from 0, not at all, to 10.", limits=(0, 10)),
        Field("recorded_at", Type.TIMESTAMP, "When it was felt.", is_required=True, is_nullable=False),
        *COMMON,
    ),
    keys=(("user_id", "symptom", "recorded_at"),),
    moment=("recorded_at",),
    day_of=("recorded_at",),
)  # fmt: skip

LOGIN_SESSIONS = Dataset(
    "login_sessions",
    "Sessions of people in the app, as it logs them.",
    (
        USER_ID,
        Field("session_id", Type.TEXT, "The session.", is_required=True, is_nullable=False),
        Field("started_at", Type.TIMESTAMP, "When it began.", is_required=True, is_nullable=False),
        Field("ended_at", Type.TIMESTAMP, "When it ended, exclusive; empty where nobody knows."),
        Field("device", Type.TEXT, "The device that it ran on."),
        Field("app_version", Type.TEXT, "The version of the app."),
        *COMMON,
    ),
    keys=(("user_id", "session_id"),),
    moment=("started_at",),
    day_of=("started_at",),
    id_column="session_id",
    days_before=2,
    longest_hours=24,
)  # fmt: skip

APP_EVENT_CODES = (
    PAGE_VIEW, FEATURE_USED, ACTION, CHAT_MESSAGE, NOTIFICATION_RECEIVED, NOTIFICATION_OPENED, HEALTH_DATA_ADDED,
    MEDICATION_LOGGED, SYMPTOM_LOGGED, GOAL_ACHIEVED,
) = (
    "page_view", "feature_used", "action", "chat_message", "notification_received", "notification_opened",
    "health_data_added", "medication_logged", "symptom_logged", "goal_achieved",
)  # fmt: skip
"""All are deliberate but notification_received, which happens to a person."""

APP_EVENTS = Dataset(
    "app_events",
    "What people do in the app, and the notifications that reach them. Without event_id equal rows are separate events.",
    (
        USER_ID,
        Field("session_id", Type.TEXT, "The session that it belongs to, where the app says so."),
        Field(
            "event", Type.TEXT, "The kind of event.", is_required=True, is_nullable=False, codes=APP_EVENT_CODES,
        ),
        Field("name", Type.TEXT, "Which page, feature, action or goal."),
        Field("occurred_at", Type.TIMESTAMP, "When it happened.", is_required=True, is_nullable=False),
        Field("event_id", Type.TEXT, "The event, where the app numbers them."),
        Field("count", Type.INTEGER, "How many such events the row stands for; empty: one.", limits=(0, 1_000_000)),
        *COMMON,
    ),
    keys=(("user_id", "event_id"),),
    has_keyless_rows=True,
    moment=("occurred_at",),
    day_of=("occurred_at",),
    id_column="event_id",
)  # fmt: skip

_LONGEST_MS = 24 * 3_600_000
_MOST_REQUESTS = 1_000_000_000
_PERCENT = (0.0, 100.0)

_PLACE: tuple[Field, ...] = (
    Field("service", Type.TEXT, "The service.", is_required=True, is_nullable=False),
    Field("environment", Type.TEXT, "production, staging, …; 'unknown' when it does not say."),
    Field("instance_id", Type.TEXT, "The machine or container; 'unknown' when it does not say."),
)

API_REQUESTS = Dataset(
    "api_requests",
    "Requests that services answered, or several equal ones in a row of their own (count).",
    (
        *_PLACE,
        Field("route", Type.TEXT, "Method and path or template, or the name of an endpoint."),
        Field(
            "status_code", Type.INTEGER, "Status of the answer (HTTP).", is_required=True, is_nullable=False,
            limits=(100, 599),
        ),
        Field("duration_ms", Type.NUMBER, "How long the answer took.", "ms", limits=(0, _LONGEST_MS)),
        Field("occurred_at", Type.TIMESTAMP, "When the request came.", is_required=True, is_nullable=False),
        Field("request_id", Type.TEXT, "The request, where the source numbers them."),
        Field("count", Type.INTEGER, "How many requests the row stands for; 1 when it does not say.", limits=(1, _MOST_REQUESTS)),
        *COMMON,
    ),
    keys=(("service", "instance_id", "request_id"),),
    moment=("occurred_at",),
    day_of=("occurred_at",),
    has_people=False,
    has_keyless_rows=True,
)  # fmt: skip

HOST_SAMPLES = Dataset(
    "host_samples",
    "How busy machines were at an instant.",
    (
        *_PLACE,
        Field("cpu_percent", Type.NUMBER, "Share of the processors that was busy.", "%", limits=_PERCENT),
        Field("memory_percent", Type.NUMBER, "Share of the memory that was in use.", "%", limits=_PERCENT),
        Field("disk_percent", Type.NUMBER, "Share of the disk that was in use.", "%", limits=_PERCENT),
        Field("sampled_at", Type.TIMESTAMP, "When it was measured.", is_required=True, is_nullable=False),
        *COMMON,
    ),
    keys=(("service", "environment", "instance_id", "sampled_at"),),
    moment=("sampled_at",),
    day_of=("sampled_at",),
    has_people=False,
)  # fmt: skip

BILLING_EVENT_CODES = (
    "started", "renewed", "upgraded", "downgraded", "cancelled", "payment_failed", "refunded",
)  # fmt: skip

BILLING_EVENTS = Dataset(
    "billing_events",
    "What people pay for their plans, and when they begin, change and stop.",
    (
        USER_ID,
        Field("event_id", Type.TEXT, "The event.", is_required=True, is_nullable=False),
        Field(
            "event", Type.TEXT, "The kind of event.", is_required=True, is_nullable=False, codes=BILLING_EVENT_CODES,
        ),
        Field("plan", Type.TEXT, "The plan from then on; of a cancellation the plan that ends."),
        Field(
            "amount_minor", Type.INTEGER, "What was paid or paid back, in the smallest unit of the currency.",
            limits=(0, 1_000_000_000),
        ),
        Field("currency", Type.TEXT, "ISO 4217 code of the currency."),
        Field("occurred_at", Type.TIMESTAMP, "When it happened.", is_required=True, is_nullable=False),
        *COMMON,
    ),
    keys=(("event_id",),),
    moment=("occurred_at",),
    day_of=("occurred_at",),
    is_in_utc=True,
)  # fmt: skip

DATASETS: tuple[Dataset, ...] = (
    USERS,
    HEALTH_READINGS,
    ACTIVITY_INTERVALS,
    SLEEP_SESSIONS,
    MEDICATION_DOSES,
    SYMPTOM_LOGS,
    LOGIN_SESSIONS,
    APP_EVENTS,
    API_REQUESTS,
    HOST_SAMPLES,
    BILLING_EVENTS,
)
PARTITIONED_DATASETS = tuple(dataset for dataset in DATASETS if dataset.is_partitioned)
DATASET_BY_NAME = {dataset.name: dataset for dataset in DATASETS}
