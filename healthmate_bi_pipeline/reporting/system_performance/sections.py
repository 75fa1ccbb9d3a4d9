"""The sections of the report on system performance: signals, objectives, routes and resources.

Incidents have a module of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from healthmate_bi_pipeline.catalog.performance import BURN_WINDOWS, PERCENTILES
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.domain.service_levels import LEAST_APDEX_SAMPLES
from healthmate_bi_pipeline.reporting.blocks import (
    Absence,
    Bar,
    BarChart,
    Block,
    Cell,
    DataTable,
    TableColumn,
    Text,
    TrendChart,
)
from healthmate_bi_pipeline.reporting.document import Section
from healthmate_bi_pipeline.reporting.styles import style_of
from healthmate_bi_pipeline.reporting.system_performance.evidence import days_text
from healthmate_bi_pipeline.reporting.system_performance.inputs import (
    Place,
    PlacePoint,
    Route,
    SystemPerformanceInputs,
)
from healthmate_bi_pipeline.reporting.system_performance.resources import (
    RESOURCES,
    TREND_DAYS,
    filling_resources,
    mean_of,
)
from healthmate_bi_pipeline.reporting.trends import series_of, trend_chart
from healthmate_bi_pipeline.reporting.wording import THIN_SPACE, figure_text, number_text, value_with_unit

MOST_LINES = 6
"""With more lines in one chart nobody tells them apart."""

_SIGNALS = ("requests", "throughput", "errors", "error_rate", "client_error_rate", "apdex")
_TIMES = tuple(f"response_time_{name}" for name in PERCENTILES)
_FAILED_TIMES = ("failed_response_time_p50", "failed_response_time_p95")
_CHARTS = (
    ("requests", "Requests"),
    ("error_rate", "Error rate"),
    ("response_time_p95", "95th percentile of the response time"),
)
_RESOURCE_FIGURES = tuple(
    f"{name}_percent_{statistic}" for name in RESOURCES for statistic in ("mean", "p95", "max")
)


def signals_section(inputs: SystemPerformanceInputs) -> Section:
    """Requests, failures and response times per service."""
    table = _services_table(
        inputs,
        "signals",
        "Golden signals per service",
        _SIGNALS,
        note=f"An Apdex of fewer than {LEAST_APDEX_SAMPLES} requests is in brackets: it jumps.",
    )
    times = _services_table(
        inputs,
        "times",
        "Response times per service",
        (*_TIMES, *_FAILED_TIMES),
        note=(
            "Of requests that did not fail; those of failures stand apart. Percentiles are merged from sketches (within"
            " 1 %), never averaged."
        ),
    )
    charts = [
        chart for figure, title in _CHARTS if (chart := _service_chart(inputs, figure, title)) is not None
    ]
    return Section(
        "services",
        "Services",
        blocks=(table, times),
        subsections=tuple(
            Section(f"panel-{chart.chart_id}", chart.title, blocks=(chart,)) for chart in charts
        ),
    )


def _services_table(
    inputs: SystemPerformanceInputs, table_id: str, title: str, figures: Sequence[str], *, note: str
) -> DataTable:
    return DataTable(
        table_id,
        title,
        (TableColumn("Service"), *(_column(figure) for figure in figures)),
        tuple(
            (inputs.label(place), *(_signal(inputs, place, figure) for figure in figures))
            for place in inputs.services
        ),
        note=note,
    )


def _column(figure: str) -> TableColumn:
    style = style_of(figure)
    label = f"{style.short[0].upper()}{style.short[1:]}"
    return TableColumn(f"{label}, {style.unit}" if style.unit else label, is_numeric=True, figure=figure)


def _cell(inputs: SystemPerformanceInputs, place: Place, figure: str) -> Cell:
    measured = inputs.current.get(place, {}).get(figure)
    return Absence.NO_DATA if measured is None else measured.value


def _signal(inputs: SystemPerformanceInputs, place: Place, figure: str) -> Cell:
    measured = inputs.current[place].get(figure)
    if figure == "apdex" and measured is not None and measured.samples < LEAST_APDEX_SAMPLES:
        return f"({figure_text(figure, measured.value)})"
    if figure.startswith("failed_") and measured is None:
        return "no failures"
    return _cell(inputs, place, figure)


def _service_chart(inputs: SystemPerformanceInputs, figure: str, title: str) -> TrendChart | None:
    main = [place for place in inputs.services if place.environment == inputs.main_environment]
    return places_chart(
        f"trend-{figure.replace('_', '-')}",
        title,
        inputs,
        places=main[:MOST_LINES],
        figure=figure,
        points=inputs.trend,
        period=inputs.trend_period,
        note="" if len(main) <= MOST_LINES else f"The {MOST_LINES} services with the most requests.",
    )


def places_chart(
    chart_id: str,
    title: str,
    inputs: SystemPerformanceInputs,
    *,
    places: Sequence[Place],
    figure: str,
    points: Sequence[PlacePoint],
    period: Period,
    note: str = "",
) -> TrendChart | None:
    """A figure of some places over time."""
    if not points:
        return None
    span = Window(points[0].period_start, period.next(points[-1].period_start))
    series = [
        series_of(
            figure,
            inputs.label(place),
            {
                point.period_start: point.places[place][figure].value
                for point in points
                if figure in point.places.get(place, {})
            },
            period=period,
            span=span,
        )
        for place in places
    ]
    return trend_chart(chart_id, title, series, period=period, window=inputs.window, note=note)


def objectives_section(inputs: SystemPerformanceInputs) -> Section:
    """What was promised, what was kept, and how fast budgets burned."""
    burns = tuple(f"burn_rate_{name}" for name in ("1h", "6h", "1d", "3d") if name in BURN_WINDOWS)
    figures = ("requests", "errors", "availability", "error_budget_left", "burn_rate")
    rows = tuple(
        (
            inputs.label(place),
            f"{number_text(inputs.levels[place.service].availability * 100, decimals=2)}{THIN_SPACE}%",
            *(_cell(inputs, place, figure) for figure in figures),
        )
        for place in inputs.services
    )
    table = DataTable(
        "objectives",
        "Objectives and error budgets",
        (
            TableColumn("Service"),
            TableColumn("Objective", is_numeric=True),
            *(_column(figure) for figure in figures),
        ),
        rows,
        note=(
            "Availability is good requests by valid ones; a 4xx is valid and not bad. The budget is what the objective"
            " lets fail of the period's requests; below 0 it was missed. A burn rate of 1 uses up exactly the budget."
        ),
    )
    burning = _services_table(
        inputs,
        "burn-rates",
        "Highest burn rates",
        burns,
        note=(
            "At the end of any 5 minutes of the period; of little traffic a single failure burns fast. Somebody is to be"
            " woken at 14.4 over 1 hour or 6 over 6 hours (The Site Reliability Workbook, ch. 5)."
        ),
    )
    bars = tuple(
        Bar(
            inputs.label(place),
            inputs.current[place]["error_budget_left"].value
            if "error_budget_left" in inputs.current[place]
            else Absence.NO_DATA,
        )
        for place in inputs.services
        if place.environment == inputs.main_environment
    )
    told = "; ".join(f"{bar.label} {value_with_unit('error_budget_left', bar.value)}" for bar in bars)
    chart = BarChart(
        "budget-left",
        "Error budget left",
        f"Share of the error budget of the period that is left, by service. {told}.",
        "error_budget_left",
        style_of("error_budget_left").unit,
        bars,
        note="100 %: nothing failed. 0 %: as much as was allowed. Below: the objective was missed.",
    )
    return Section("objectives", "Objectives", blocks=(table, *((chart,) if len(bars) > 1 else ()), burning))


def routes_section(inputs: SystemPerformanceInputs) -> Section:
    """The routes that stand out."""
    if not inputs.slow_routes and not inputs.failing_routes:
        return Section("routes", "Routes", blocks=(Text(("No route has enough requests to be told.",)),))
    slow = _routes_table("slow-routes", "Slowest routes", inputs, inputs.slow_routes)
    failing: Block = Text(("No route had a failure.",))
    if inputs.failing_routes:
        failing = _routes_table(
            "failing-routes", "Routes with the most failures", inputs, inputs.failing_routes
        )
    return Section("routes", "Routes", blocks=(slow, failing))


def _routes_table(
    table_id: str, title: str, inputs: SystemPerformanceInputs, routes: Sequence[Route]
) -> DataTable:
    figures = ("requests", "errors", "error_rate", "response_time_p95")
    return DataTable(
        table_id,
        title,
        (TableColumn("Route"), TableColumn("Service"), *(_column(figure) for figure in figures)),
        tuple(
            (
                route.route_group,
                inputs.label(route.place),
                route.requests,
                route.errors,
                route.error_rate,
                Absence.NO_DATA if route.response_time_p95 is None else route.response_time_p95,
            )
            for route in routes
        ),
    )


def resources_section(inputs: SystemPerformanceInputs) -> Section:
    """Processors, memory and disk of the machines, and which of them is on its way to the limit."""
    machines = inputs.machines
    if not machines:
        return Section(
            "resources", "Resources", blocks=(Text(("There are no host samples in this period.",)),)
        )
    table = DataTable(
        "resources-table",
        "Resources of the machines, % in use",
        (
            TableColumn("Machine"),
            *(
                TableColumn(style_of(figure).short.capitalize(), is_numeric=True, figure=figure)
                for figure in _RESOURCE_FIGURES
            ),
        ),
        tuple(
            (inputs.label(place), *(_cell(inputs, place, figure) for figure in _RESOURCE_FIGURES))
            for place in machines
        ),
    )
    charts = [
        chart for name, label in RESOURCES.items() if (chart := _fullest(inputs, name, label)) is not None
    ]
    return Section(
        "resources",
        "Resources",
        blocks=(_limits_block(inputs), table),
        subsections=tuple(
            Section(f"panel-{chart.chart_id}", chart.title, blocks=(chart,)) for chart in charts
        ),
    )


def _fullest(inputs: SystemPerformanceInputs, resource: str, label: str) -> TrendChart | None:
    """The machines that use the most of a resource, and those that fill up."""
    figure = mean_of(resource)
    filling = [one.place for one in filling_resources(inputs.resources) if one.resource == resource]
    used = sorted(
        (place for place in inputs.machines if figure in inputs.current[place] and place not in filling),
        key=lambda place: (-inputs.current[place][figure].value, place),
    )
    places = [*filling, *used][:MOST_LINES]
    note = (
        ""
        if len(inputs.machines) <= MOST_LINES
        else f"The {MOST_LINES} machines that use the most, those on their way to the limit first."
    )
    return places_chart(
        f"trend-{resource}",
        f"{label.capitalize()}, daily mean",
        inputs,
        places=places,
        figure=figure,
        points=inputs.resources,
        period=Period.DAILY,
        note=note,
    )


def _limits_block(inputs: SystemPerformanceInputs) -> Block:
    filling = filling_resources(inputs.resources)
    days = min(len(inputs.resources), TREND_DAYS)
    if not filling:
        return Text(
            (f"Over the last {days} days no machine's processors, memory or disk rise towards their limit.",)
        )
    rows: list[tuple[Cell, ...]] = [
        (
            inputs.label(one.place),
            RESOURCES[one.resource],
            one.forecast.level,
            number_text(one.forecast.trend.slope, decimals=2),
            f"{number_text(one.forecast.trend.low, decimals=2)} to {number_text(one.forecast.trend.high, decimals=2)}",
            days_text(one.forecast.days),
            f"{days_text(one.forecast.earliest)} to {days_text(one.forecast.latest)}",
        )
        for one in filling
    ]
    return DataTable(
        "limits",
        "On their way to the limit",
        (
            TableColumn("Machine"),
            TableColumn("Resource"),
            TableColumn("Now, %", is_numeric=True, figure=filling[0].figure),
            TableColumn("Points a day", is_numeric=True),
            TableColumn("95 % interval", is_numeric=True),
            TableColumn("100 % in", is_numeric=True),
            TableColumn("95 % interval", is_numeric=True),
        ),
        tuple(rows),
        note=(
            f"Theil-Sen slope of up to {days} daily means; only trends that are clear by Mann-Kendall (p ≤ 0.01) and reach"
            " the limit within 90 days."
        ),
    )  # fmt: skip
