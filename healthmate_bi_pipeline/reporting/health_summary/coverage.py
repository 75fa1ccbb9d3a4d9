"""Who is covered by the data of a period and who is not: accounts, people with data, and those with enough.

Of each kind of measure the people with any value, and those who pass its gate, for everyone and by age and by sex.
Numbers of one kind over the groups of one trait add up to a number that is told, so that small ones take others with
them (``withheld_groups``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from healthmate_bi_pipeline.catalog.health_groups import FIGURE_BY_NAME
from healthmate_bi_pipeline.domain.bands import (
    LEAST_ACTIVE_DAYS_A_WEEK,
    LEAST_CGM_DAYS,
    LEAST_CGM_SHARE,
    LEAST_COMPONENTS,
    LEAST_PRESSURE_DAYS,
    LEAST_PRESSURES,
    STEP_DAYS,
)
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Block,
    Cell,
    Count,
    DataTable,
    HeatMap,
    Number,
    TableColumn,
    Text,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.health_summary.inputs import HealthSummaryInputs
from healthmate_bi_pipeline.reporting.suppressed_parts import ratio
from healthmate_bi_pipeline.reporting.suppression import show_count, withheld_cells
from healthmate_bi_pipeline.reporting.wording import people_text

EVERYONE, PEOPLE, ACCOUNTS = "all", "people", "accounts"
COVERED_SHARE = "covered_share"
_A_WEEK = 7


@dataclass(frozen=True)
class Measured:
    """A kind of measure.

    Attributes:
        label: as a reader calls it.
        figure: whoever has a value of it has data of this kind.
        gate: the figure that only people with enough data have; empty: any data are enough.
        enough: what enough is, of a window; it is only asked for where the gate applies.
    """

    label: str
    figure: str
    gate: str = ""
    enough: Callable[[Window], str] = lambda _window: ""

    def is_judged(self, window: Window) -> bool:
        """Whether a window is long enough for the gate."""
        return (
            bool(self.gate)
            and window.days >= _A_WEEK
            and FIGURE_BY_NAME[self.gate].shortest.fits_into(window)
        )


MEASURED: tuple[Measured, ...] = (
    Measured(
        "Blood pressure", "avg_blood_pressure_systolic", "stage_2_blood_pressure_share",
        lambda _: f"{LEAST_PRESSURES} readings on {LEAST_PRESSURE_DAYS} days",
    ),
    Measured("Heart rate", "avg_heart_rate"),
    Measured("Weight", "avg_weight"),
    Measured("Glucose", "avg_blood_sugar"),
    Measured(
        "Glucose sensor", "cgm_readings", "cgm_time_in_range",
        lambda window: f"{LEAST_CGM_SHARE:.0%} of the values".replace("%", " %")
        + (f" on {LEAST_CGM_DAYS} days" if window.days >= 2 * LEAST_CGM_DAYS else ""),
    ),
    Measured(
        "Steps", "days_with_steps", "avg_steps_per_day",
        lambda window: f"{STEP_DAYS.at(window.days)} days",
    ),
    Measured(
        "Active minutes", "avg_exercise_minutes_per_day", "activity_minutes_a_week",
        lambda _: f"{LEAST_ACTIVE_DAYS_A_WEEK} days a week",
    ),
    Measured(
        "Sleep", "avg_sleep_hours", "sleep_regularity_index", lambda _: "6 pairs of nights"
    ),
    Measured("Medication", "medication_adherence_rate"),
    Measured("Symptoms", "total_symptoms_logged"),
    Measured(
        "Health score", PEOPLE, "overall_health_score", lambda _: f"{LEAST_COMPONENTS} of 8 components"
    ),
)  # fmt: skip

Counts = Mapping[str, Mapping[str, int]]
"""Group of people -> figure -> people with it."""


def coverage_section(inputs: HealthSummaryInputs, *, people: Count) -> Section | None:
    """Who is covered; none where it cannot be said of anyone."""
    if isinstance(show_count(inputs.people, settings=inputs.settings), Absence) or not inputs.covered:
        return None
    kinds = [kind for kind in MEASURED if inputs.covered[EVERYONE].get(kind.figure, 0)]
    blocks: list[Block] = [Text(_sentences(inputs, people=people))]
    shown = _ShownGroups(inputs)
    is_one = inputs.settings.audience == "personal" and inputs.people == 1
    if not is_one and len(shown.groups) > 1:
        blocks.append(_heat_map(kinds, shown))
    blocks.append(_kinds_table(kinds, shown, window=inputs.window))
    if not is_one and len(shown.groups) > 1:
        blocks.append(_groups_table(kinds, shown))
        judged = [kind for kind in kinds if kind.is_judged(inputs.window)]
        if judged:
            blocks.append(_enough_table(judged, shown))
    return Section("coverage", "Who is covered", blocks=tuple(blocks))


def _sentences(inputs: HealthSummaryInputs, *, people: Count) -> tuple[str, ...]:
    accounts = show_count(inputs.accounts.get(EVERYONE, 0), settings=inputs.settings)
    if accounts == 0:
        known = "No accounts were read, so that it is not known who has no data at all."
    else:
        verb = "was" if accounts == 1 else "were"
        known = f"{people_text(accounts)} {verb} known by their accounts at the end of the period."
    if isinstance(accounts, Absence):
        known = ""
    if isinstance(people, Absence):
        return (known,) if known else ("How many people have data is not shown.",)
    verb = "has" if people == 1 else "have"
    return (f"{known} {people_text(people)} {verb} data of any kind in it.".strip(),)


class _ShownGroups:
    """The numbers of people by group as they may be shown.

    Attributes:
        groups: everyone, then those of each trait.
    """

    def __init__(self, inputs: HealthSummaryInputs) -> None:
        self._counts = {
            group: {**figures, ACCOUNTS: inputs.accounts.get(group, 0)}
            for group, figures in _with_accounts(inputs.covered, inputs.accounts).items()
        }
        self._settings = inputs.settings
        traits: dict[str, list[str]] = {}
        for group in sorted(self._counts):
            if group != EVERYONE:
                traits.setdefault(group.partition(" ")[0], []).append(group)
        # A trait that nobody's record tells says nothing.
        self._traits = [groups for groups in traits.values() if len(groups) > 1]
        self.groups = (EVERYONE, *(group for groups in self._traits for group in groups))

    def count(self, group: str, figure: str, *, within: Sequence[str] = (PEOPLE,)) -> Count:
        """People of a group with a figure; ``within``: wholes that they are part of, and withheld with."""
        if group != EVERYONE and self._settings.audience == "groups":
            (groups,) = (groups for groups in self._traits if group in groups)
            columns = [[self._counts[one].get(name, 0) for one in groups] for name in (figure, *within)]
            if groups.index(group) in withheld_groups(columns, minimum=self._settings.minimum_people):
                return Absence.SUPPRESSED
        return show_count(self._counts[group].get(figure, 0), settings=self._settings)

    def accounts(self, group: str) -> Count:
        """People of a group with an account."""
        return self.count(group, ACCOUNTS, within=())

    def covered(self, group: str, kind: Measured) -> Count:
        """People of a group with data of a kind."""
        return self.count(group, kind.figure)

    def enough(self, group: str, kind: Measured) -> Count:
        """People of a group with enough data of a kind; where all were exact, not where those without are few."""
        own, more = (self._counts[group].get(name, 0) for name in (kind.gate, kind.figure))
        is_exact = self._settings.audience == "groups" and self._settings.round_people_to == 1
        if is_exact and 0 < more - own < self._settings.minimum_people:
            return Absence.SUPPRESSED
        return self.count(group, kind.gate, within=(PEOPLE, kind.figure))


def _with_accounts(covered: Counts, accounts: Mapping[str, int]) -> dict[str, Mapping[str, int]]:
    return {group: covered.get(group, {}) for group in (*covered, *(set(accounts) - set(covered)))}


def withheld_groups(columns: Sequence[Sequence[int]], *, minimum: int) -> frozenset[int]:
    """Which groups of a trait must not be shown in the first of some columns whose totals are told.

    The first one counts some of those whom the others count: it must not tell what those withhold.

    >>> sorted(withheld_groups([[40, 60, 80], [40, 5, 70]], minimum=11))
    [0, 1]
    """
    found: frozenset[int] = frozenset()
    told = [counts for counts in columns if any(counts)]
    while True:
        further = found.union(*(withheld_cells(counts, minimum=minimum, also=found) for counts in told))
        if further == found:
            return found
        found = further


def _label(group: str) -> str:
    """What a reader calls a group: the trait's value."""
    return {EVERYONE: "everyone", "age unknown": "age unknown", "sex unknown": "sex unknown"}.get(
        group, group.partition(" ")[2]
    )


def _heat_map(kinds: Sequence[Measured], shown: _ShownGroups) -> HeatMap:
    columns = tuple(_label(group) for group in shown.groups)
    cells = tuple(
        tuple(_share(shown, group, kind) for group in shown.groups) for kind in kinds if kind.figure != PEOPLE
    )
    rows = tuple(kind.label for kind in kinds if kind.figure != PEOPLE)
    return HeatMap(
        chart_id="covered",
        title="People with data, by kind and group",
        description="Share of the people with any data in the period who have data of each kind, by age and by sex.",
        figure=COVERED_SHARE,
        unit="%",
        row_title="Kind",
        column_title="Group",
        rows=rows,
        columns=columns,
        cells=cells,
        note="Of the people of the group with any data.",
    )


def _share(shown: _ShownGroups, group: str, kind: Measured) -> Number:
    found = ratio(shown.covered(group, kind), shown.count(group, PEOPLE))
    return found if isinstance(found, Absence) else min(found, 1.0)


def _kinds_table(kinds: Sequence[Measured], shown: _ShownGroups, *, window: Window) -> DataTable:
    rows: list[tuple[Cell, ...]] = []
    for kind in kinds:
        with_data = shown.covered(EVERYONE, kind)
        if kind.is_judged(window):
            enough = shown.enough(EVERYONE, kind)
            share = ratio(enough, with_data)
            rows.append((kind.label, with_data, enough, share, kind.enough(window)))
        else:
            reason = "not judged: too short" if kind.gate else "any value"
            rows.append((kind.label, with_data, "–", "–", reason))
    columns = (
        TableColumn("Kind"),
        TableColumn("People with data", is_numeric=True),
        TableColumn("With enough", is_numeric=True),
        TableColumn("Share with enough", is_numeric=True, figure=COVERED_SHARE),
        TableColumn("Enough is"),
    )
    return DataTable(
        "covered-kinds", "People with data and with enough of them", columns, tuple(rows), note=_ENOUGH
    )


_ENOUGH = (
    "Enough for: a category of blood pressure, time in range of a glucose sensor, a mean of steps, the guideline for"
    " activity, the regularity of sleep, a mean of the health score."
)


def _groups_table(kinds: Sequence[Measured], shown: _ShownGroups) -> DataTable:
    rows: list[tuple[Cell, ...]] = [
        ("Accounts", *(shown.accounts(group) for group in shown.groups)),
        ("Any data", *(shown.count(group, PEOPLE) for group in shown.groups)),
        *(
            (kind.label, *(shown.covered(group, kind) for group in shown.groups))
            for kind in kinds
            if kind.figure != PEOPLE
        ),
    ]
    note = "Age and sex as in the person's record at the end of the period."
    return DataTable("covered-groups", "People with data, by group", _columns(shown), tuple(rows), note=note)


def _enough_table(kinds: Sequence[Measured], shown: _ShownGroups) -> DataTable:
    rows = tuple((kind.label, *(shown.enough(group, kind) for group in shown.groups)) for kind in kinds)
    return DataTable("covered-enough", "People with enough data, by group", _columns(shown), rows)


def _columns(shown: _ShownGroups) -> tuple[TableColumn, ...]:
    return (TableColumn("Kind"), *(TableColumn(_label(group), is_numeric=True) for group in shown.groups))
