"""The types of report and how often each is made."""

from __future__ import annotations

from dataclasses import dataclass

from healthmate_bi_pipeline.domain.period import Period, Window

REPORT_CADENCES = (Period.DAILY, Period.WEEKLY, Period.MONTHLY, Period.QUARTERLY, Period.YEARLY)


@dataclass(frozen=True)
class ReportType:
    """One type of report.

    Attributes:
        name: as it is written on the command line.
        title: as it stands on the page.
        description: what it answers.
        usual_cadences: the periods that it is made for by itself.
        cadences: the periods that it can be made for.
        not_measured: what a reader may look for and the pipeline does not read yet.
    """

    name: str
    title: str
    description: str
    usual_cadences: tuple[Period, ...]
    not_measured: tuple[str, ...] = ()
    cadences: tuple[Period, ...] = REPORT_CADENCES

    def cadence_of(self, window: Window) -> Period | None:
        """The period that a window is exactly, if it is one."""
        return next((period for period in self.cadences if period.window(window.start) == window), None)


HEALTH_SUMMARY = ReportType(
    "health_summary",
    "Health summary",
    "How the people are: cardiovascular health, vital signs, activity, sleep, medication and symptoms, and how"
    " good the data are.",
    (Period.DAILY, Period.MONTHLY),
)

REPORT_TYPES: tuple[ReportType, ...] = (HEALTH_SUMMARY,)
REPORT_TYPE_BY_NAME = {report.name: report for report in REPORT_TYPES}
