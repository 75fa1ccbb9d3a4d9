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

USER_ENGAGEMENT = ReportType(
    "user_engagement",
    "User engagement",
    "Who uses the app, how often, what of it, who stays, and who is likely to leave.",
    (Period.WEEKLY, Period.MONTHLY),
    not_measured=(
        "Benefit: whether those who use the app more are better off; use is not benefit",
        "Why people leave: nobody is asked",
        "People who opened the app without an account or a session of their own",
    ),
)

FINANCIAL = ReportType(
    "financial",
    "Finance",
    "What recurs of the subscriptions and how that moved, what came in, what failed, and what subscriptions are worth,"
    " by currency and plan. All times are UTC.",
    (Period.MONTHLY,),
    not_measured=(
        "Costs, margins and what it costs to win a subscriber: no data set holds them",
        "Taxes and the fees of app stores and payment providers: amounts are as they were charged",
        "Sums over several currencies: no rates of exchange are read, so currencies are never added up",
    ),
)

SYSTEM_PERFORMANCE = ReportType(
    "system_performance",
    "System performance",
    "How HealthMate's services do: requests, failures and response times against what was promised, incidents, the"
    " routes that stand out, and resources on their way to the limit. All times are UTC.",
    (Period.DAILY, Period.MONTHLY),
    not_measured=(
        "What users see from outside: the figures rest on the services' own request logs",
        "Queues, connection pools and network: host samples hold processors, memory and disk",
    ),
)

OPERATIONAL = ReportType(
    "operational",
    "Operations of the pipeline",
    "Whether the data came and the pipeline did its work: freshness, partitions made and missing, runs, late rows,"
    " volume per dataset, rows set aside, and disk.",
    (Period.WEEKLY,),
    not_measured=(
        "Size of lake and warehouse: it is only known for the present; the disks of the period are in host_samples",
    ),
)

COMPLIANCE = ReportType(
    "compliance",
    "Compliance and data quality",
    "Whether the data can be relied on and the rules were kept: checks by Kahn's categories, conservation of rows,"
    " rows set aside, figures withheld, actions in the audit log, what was deleted, and what is overdue.",
    (Period.MONTHLY,),
    not_measured=(
        "Accesses by persons outside the pipeline",
        "Consent",
        "Encryption",
        "Access rights",
    ),
)

REPORT_TYPES: tuple[ReportType, ...] = (
    HEALTH_SUMMARY,
    USER_ENGAGEMENT,
    SYSTEM_PERFORMANCE,
    COMPLIANCE,
    FINANCIAL,
    OPERATIONAL,
)
REPORT_TYPE_BY_NAME = {report.name: report for report in REPORT_TYPES}
