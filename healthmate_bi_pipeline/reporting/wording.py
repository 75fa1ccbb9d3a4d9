"""How figures, counts and periods are written for people: numbers, changes, names of periods.

No locale is read: English, decimal point, narrow no-break space between thousands. Labels, units and digits of a
figure stand in ``styles``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.reporting.blocks import Absence, Number
from healthmate_bi_pipeline.reporting.document import RANGE
from healthmate_bi_pipeline.reporting.styles import style_of

THIN_SPACE = "\u202f"
HARD_SPACE = "\u00a0"
MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ADJECTIVES = {
    "hourly": "Hourly", "daily": "Daily", "weekly": "Weekly", "monthly": "Monthly", "quarterly": "Quarterly",
    "yearly": "Yearly", RANGE: "Free range",
}  # fmt: skip
NOUNS = {
    "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "yearly": "year", RANGE: "range",
}  # fmt: skip


def number_text(value: float, *, decimals: int) -> str:
    """A number as people read it.

    >>> number_text(-7342.06, decimals=1).replace(THIN_SPACE, "_")
    '−7_342.1'
    >>> number_text(-0.04, decimals=1)
    '0.0'
    """
    text = f"{abs(value):,.{decimals}f}".replace(",", THIN_SPACE)
    is_negative = value < 0 and any(digit in "123456789" for digit in text)
    return f"{MINUS}{text}" if is_negative else text


def figure_text(figure: str, value: Number) -> str:
    """A figure's value without its unit.

    >>> figure_text("data_accuracy", 0.98765)
    '98.8'
    """
    if isinstance(value, Absence):
        return absence_text(value)
    style = style_of(figure)
    return number_text(value * style.scale, decimals=style.decimals)


def value_with_unit(figure: str, value: Number) -> str:
    """A figure's value with its unit; the percent sign too stands behind a narrow space (ISO 80000-1)."""
    if isinstance(value, Absence):
        return absence_text(value)
    unit = style_of(figure).unit
    return f"{figure_text(figure, value)}{THIN_SPACE if unit == '%' else HARD_SPACE}{unit}".rstrip()


def change_text(figure: str, change: float) -> str:
    """A difference with its sign and unit.

    >>> change_text("avg_oxygen_saturation", -0.42).replace(HARD_SPACE, " ")
    '−0.4 points'
    """
    style = style_of(figure)
    text = number_text(change * style.scale, decimals=style.decimals)
    sign = "" if text.startswith(MINUS) or not is_change_visible(figure, change) else "+"
    return (
        f"{sign}{text}{HARD_SPACE}{style.unit if style.change_unit is None else style.change_unit}".rstrip()
    )


def is_change_visible(figure: str, change: float) -> bool:
    """Whether a difference is other than zero in the digits that are written."""
    style = style_of(figure)
    return round(change * style.scale, style.decimals) != 0


def absence_text(absence: Absence) -> str:
    """What stands where a number is missing."""
    return "no data" if absence is Absence.NO_DATA else "not shown"


def count_text(count: int | Absence) -> str:
    """A count, or why there is none."""
    return absence_text(count) if isinstance(count, Absence) else number_text(count, decimals=0)


def people_text(count: int | Absence, *, minimum: int | None = None) -> str:
    """A number of people in words.

    >>> people_text(Absence.SUPPRESSED, minimum=11)
    'fewer than 11 people'
    """
    if count is Absence.SUPPRESSED and minimum is not None:
        return f"fewer than {minimum} people"
    if isinstance(count, Absence):
        return absence_text(count)
    return f"{count_text(count)}{HARD_SPACE}{'person' if count == 1 else 'people'}"


def share_text(share: Number) -> str:
    """A share as a percentage; some are not none, and nearly all are not all.

    >>> [share_text(share).replace(THIN_SPACE, " ") for share in (0, 0.002, 0.125, 0.998, 1)]
    ['0 %', '<1 %', '12 %', '>99 %', '100 %']
    """
    if isinstance(share, Absence):
        return absence_text(share)
    percent = f"{share * 100:.0f}"
    if percent == "0" and share > 0:
        percent = "<1"
    if percent == "100" and share < 1:
        percent = ">99"
    return f"{percent}{THIN_SPACE}%"


def band_labels(bounds: tuple[float, ...]) -> tuple[str, ...]:
    """What the bands with these lower bounds are called; the first one is open below.

    >>> band_labels((0, 5, 7.5))
    ('under 5', '5 to <7.5', '7.5 or more')
    """
    texts = [number_text(bound, decimals=0 if bound == int(bound) else 1) for bound in bounds]
    if len(texts) < 2:
        return ("all",) * len(texts)
    middle = (f"{low} to <{high}" for low, high in pairwise(texts[1:]))
    return (f"under {texts[1]}", *middle, f"{texts[-1]} or more")


def day_text(moment: datetime) -> str:
    """A day: ``5 March 2026``."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def short_day_text(moment: datetime) -> str:
    """A day without its year: ``5 Mar``."""
    return f"{moment.day} {MONTHS[moment.month - 1][:3]}"


def span_text(window: Window) -> str:
    """The days of a window, without what repeats.

    >>> span_text(Window(datetime(2026, 3, 2), datetime(2026, 3, 9)))
    '2–8 March 2026'
    """
    first, last = window.first_day, window.last_day
    if first == last:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year}"
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    start = f"{first.day} {MONTHS[first.month - 1]}"
    return f"{start} – {end}" if first.year == last.year else f"{start} {first.year} – {end}"


def period_text(cadence: str, window: Window) -> str:
    """What a reader calls a period.

    >>> period_text("weekly", Window(datetime(2026, 3, 2), datetime(2026, 3, 9)))
    'Week 10 of 2026'
    """
    start = window.start
    match cadence:
        case Period.DAILY:
            return f"{WEEKDAYS[start.weekday()]} {day_text(start)}"
        case Period.WEEKLY:
            year, week, _ = start.isocalendar()
            return f"Week {week} of {year}"
        case Period.MONTHLY:
            return f"{MONTHS[start.month - 1]} {start.year}"
        case Period.QUARTERLY:
            return f"Quarter {(start.month + 2) // 3} of {start.year}"
        case Period.YEARLY:
            return f"{start.year}"
        case _:
            return span_text(window)


def span_beside(cadence: str, window: Window) -> str:
    """The days of a period whose name does not say them; else empty."""
    return span_text(window) if cadence in {Period.WEEKLY, Period.QUARTERLY} else ""


def point_text(period: Period, start: datetime) -> str:
    """What a point of a trend is called in its table: ``5 Mar 2026`` or ``Mar 2026``."""
    if period in {Period.MONTHLY, Period.QUARTERLY}:
        return f"{MONTHS[start.month - 1][:3]} {start.year}"
    if period is Period.YEARLY:
        return f"{start.year}"
    return f"{short_day_text(start)} {start.year}"


def mid_sentence(period: str) -> str:
    """A period's name inside a sentence.

    >>> mid_sentence("Week 10 of 2026"), mid_sentence("March 2026")
    ('week 10 of 2026', 'March 2026')
    """
    return period[0].lower() + period[1:] if period.startswith(("Week ", "Quarter ")) else period


def as_utc(instant: datetime) -> datetime:
    """An instant with its zone; one without is UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """An instant to the minute: ``5 March 2026, 14:02 UTC``."""
    moment = as_utc(instant)
    return f"{day_text(moment)}, {moment:%H:%M} UTC"


def short_instant_text(instant: datetime) -> str:
    """An instant where its zone, UTC, stands above it: ``5 Mar 2026, 14:02``."""
    moment = as_utc(instant)
    return f"{short_day_text(moment)} {moment.year}, {moment:%H:%M}"
