"""Recurring revenue and its movements: a small ledger by hand, and the demo's against a second way to compute it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from healthmate_bi_pipeline.catalog.reports import FINANCIAL
from healthmate_bi_pipeline.domain.bgbb import Patterns
from healthmate_bi_pipeline.domain.bgbb_fit import fit
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.domain.revenue import discount_per_period, movement
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.demo import write_demo
from healthmate_bi_pipeline.usecases.finance import range_revenue
from healthmate_bi_pipeline.usecases.pipeline import Pipeline
from healthmate_bi_pipeline.usecases.reports.financial import FINANCIAL_RECIPE, gather_financial
from healthmate_bi_pipeline.usecases.reports.recipe import last_complete, report_inputs
from healthmate_bi_pipeline.usecases.reports.scope import Subject
from healthmate_bi_pipeline.usecases.reports.writing import write_report
from healthmate_bi_pipeline_tests.accounts import lake_frame
from healthmate_bi_pipeline_tests.reporting.walking import VALIDATOR, people_in
from healthmate_bi_pipeline_tests.running import csv_text, drop_file, opened, query, refresh

pytestmark = pytest.mark.slow

GROUPS = ("staged", "raw", "finance")
LEDGER = """
1 started    plus   799  EUR 2026-01-01
1 renewed    plus   799  EUR 2026-01-31
1 renewed    plus   799  EUR 2026-03-02
1 cancelled  plus   0    EUR 2026-03-10
2 started    plus   799  EUR 2026-01-05
2 renewed    plus   799  EUR 2026-02-04
2 upgraded   family 1299 EUR 2026-02-10
2 renewed    family 1299 EUR 2026-03-06
3 started    plus   799  EUR 2026-01-10
3 renewed    plus   799  EUR 2026-03-20
4 started    plus   899  USD 2026-02-03
4 payment_failed plus 0  USD 2026-03-05
4 renewed    plus   899  USD 2026-03-08
4 refunded   plus   899  USD 2026-03-09
5 started    family 1299 EUR 2026-02-01
5 downgraded plus   799  EUR 2026-02-20
5 renewed    plus   799  EUR 2026-03-03
6 started    plus   -    EUR 2026-02-03
"""
PEOPLE_MOVES = ("new", "reactivated", "churned", "moved_in", "moved_out")
MINOR = {"expanded": "expansion_minor", "contracted": "contraction_minor"}
KINDS = ("new", "reactivated", "expanded", "contracted", "churned", "moved_in", "moved_out")
SIGNS = {
    "new": 1, "reactivated": 1, "expanded": 1, "moved_in": 1, "contracted": -1, "churned": -1, "moved_out": -1,
}  # fmt: skip


def ledger_rows() -> list[dict[str, object]]:
    rows = []
    for number, line in enumerate(LEDGER.strip().splitlines()):
        user, event, plan, amount, currency, day = line.split()
        rows.append(
            {
                "user_id": int(user), "event_id": f"e{number:02}", "event": event, "plan": plan,
                "amount_minor": None if amount == "-" else amount, "currency": currency,
                "occurred_at": f"{day}T12:00:00Z",
            }
        )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def by_hand(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    drop_file(settings, "billing_events/all.csv", csv_text(ledger_rows()))
    with opened(settings, now=datetime(2026, 4, 20, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        yield pipeline


def revenue(pipeline: Pipeline, period: str = "monthly") -> pd.DataFrame:
    rows = query(pipeline, "SELECT * FROM bi_revenue WHERE aggregation_period = :period", period=period)
    rows["month"] = rows["period_start"].dt.date
    return rows.set_index(["month", "currency", "plan"]).sort_index()


def moved(row: pd.Series) -> dict[str, tuple[int, int]]:
    """The movements that there were: people and amount."""
    found = {kind: (row[f"{kind}_people"], row[MINOR.get(kind, f"{kind}_minor")]) for kind in KINDS}
    return {kind: pair for kind, pair in found.items() if pair != (0, 0)}


JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("month", "currency", "plan", "opening", "movements", "closing"),
    [
        (JAN, "EUR", "*", (0, 0), {"new": (3, 2397)}, (3, 2397)),
        (
            FEB, "EUR", "*", (3, 2397),
            {"new": (1, 799), "expanded": (1, 500), "churned": (1, 799)}, (3, 2897),
        ),
        (
            FEB, "EUR", "plus", (3, 2397),
            {"new": (1, 799), "churned": (1, 799), "moved_out": (1, 799)}, (2, 1598),
        ),
        (FEB, "EUR", "family", (0, 0), {"expanded": (1, 500), "moved_in": (1, 799)}, (1, 1299)),
        (MAR, "EUR", "*", (3, 2897), {"reactivated": (1, 799), "churned": (1, 799)}, (3, 2897)),
        (FEB, "USD", "*", (0, 0), {"new": (1, 899)}, (1, 899)),
        # The payment that failed came in within the days of grace; the refund ends nothing.
        (MAR, "USD", "plus", (1, 899), {}, (1, 899)),
    ],
)  # fmt: skip
def test_the_ledger_by_hand(by_hand, month, currency, plan, opening, movements, closing):
    row = revenue(by_hand).loc[(month, currency, plan)]
    assert (row["opening_people"], row["opening_minor"]) == opening
    assert moved(row) == movements
    assert (row["closing_people"], row["closing_minor"]) == closing


def test_payments_failures_and_refunds_by_hand(by_hand):
    rows = revenue(by_hand)
    usd = rows.loc[(MAR, "USD", "*")]
    assert (usd["payments"], usd["payers"], usd["paid_minor"]) == (1, 1, 899)
    assert (usd["failed_payments"], usd["failing_people"]) == (1, 1)
    assert (usd["refunds"], usd["refunded_people"], usd["refunded_minor"]) == (1, 1, 899)
    february = rows.loc[(FEB, "*", "*")]
    assert (february["payments"], february["payers"]) == (5, 3)
    assert pd.isna(february["paid_minor"])
    # The start without an amount is no payment and no subscription, and is told.
    assert (february["events"], february["events_without_amount"]) == (6, 1)
    assert february["closing_people"] == 4


def test_a_silent_subscription_ends_when_the_days_of_grace_are_over(by_hand):
    rows = revenue(by_hand, "daily")
    assert rows.loc[(date(2026, 2, 15), "EUR", "*")]["churned_people"] == 0
    assert rows.loc[(date(2026, 2, 16), "EUR", "*")]["churned_people"] == 1  # 37 days after 10 January


def test_over_all_currencies_people_are_counted_and_no_money(by_hand):
    rows = revenue(by_hand)
    march = rows.loc[(MAR, "*", "*")]
    assert (march["opening_people"], march["closing_people"]) == (4, 4)
    assert march[[name for name in march.index if name.endswith("_minor")]].isna().all()


def test_a_free_range_that_is_a_month_has_the_figures_of_the_month(by_hand):
    rows = revenue(by_hand).loc[FEB].reset_index()
    months = [Window(datetime(2026, month, 1), datetime(2026, month + 1, 1)) for month in (1, 2)]
    found = pd.DataFrame(range_revenue(by_hand, months)[1])
    pd.testing.assert_frame_equal(pd.DataFrame(range_revenue(by_hand, months[1:])[0]), found)
    skipped = {"aggregation_period", "month"}
    names = [name for name in rows.columns if name not in skipped]
    left, right = (
        frame[names].sort_values(["currency", "plan"]).reset_index(drop=True) for frame in (rows, found)
    )
    pd.testing.assert_frame_equal(left, right, check_dtype=False)


def test_a_range_that_begins_in_the_middle(by_hand):
    (found,) = range_revenue(by_hand, [Window(datetime(2026, 2, 11), datetime(2026, 3, 15))])
    (row,) = (row for row in found if (row["currency"], row["plan"]) == ("EUR", "*"))
    # 1 and 3 with 799, 2 and 5 with 1299; 1 cancels, 3 falls silent, 5 takes the smaller plan.
    assert (row["opening_people"], row["opening_minor"]) == (4, 4196)
    assert (row["churned_people"], row["churned_minor"], row["contraction_minor"]) == (2, 1598, 500)
    assert (row["closing_people"], row["closing_minor"]) == (2, 2098)


def test_a_late_event_makes_revenue_stale_and_changes_it(new_settings):
    settings = new_settings()
    rows = ledger_rows()
    drop_file(settings, "billing_events/all.csv", csv_text(row for row in rows if row["event_id"] != "e04"))
    with opened(settings, now=datetime(2026, 4, 20, 12)) as pipeline:
        assert "finance/revenue" in refresh(pipeline, groups=GROUPS)
        assert revenue(pipeline).loc[(JAN, "EUR", "*")]["closing_people"] == 2
        assert refresh(pipeline, groups=("finance",)) == {}
        drop_file(
            settings, "billing_events/late.csv", csv_text(row for row in rows if row["event_id"] == "e04")
        )
        assert "finance/revenue" in refresh(pipeline, groups=GROUPS)
        assert revenue(pipeline).loc[(JAN, "EUR", "*")]["closing_people"] == 3


def test_a_month_that_goes_on_ends_with_its_last_day_of_data(new_settings):
    settings = new_settings()
    drop_file(settings, "billing_events/all.csv", csv_text(ledger_rows()))
    with opened(settings, now=datetime(2026, 3, 21, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        row = revenue(pipeline).loc[(MAR, "EUR", "*")]
    assert (row["as_of"], row["is_complete"]) == (pd.Timestamp("2026-03-21"), False)


FIRST, LAST = date(2025, 1, 1), date(2025, 12, 20)


@pytest.fixture(scope="module")
def demo(new_settings: Callable[[], Settings]) -> Iterator[Pipeline]:
    settings = new_settings()
    write_demo(
        settings.landing_path,
        first_day=FIRST,
        last_day=LAST,
        people=400,
        datasets=("users", "billing_events"),
    )
    with opened(settings, now=datetime(2026, 2, 1, 12)) as pipeline:
        refresh(pipeline, groups=GROUPS)
        yield pipeline


@pytest.fixture(scope="module")
def events(demo: Pipeline) -> pd.DataFrame:
    return lake_frame(demo, "raw/billing_events").sort_values(["occurred_at", "event_id"])


PAYMENTS = ("started", "renewed", "upgraded", "downgraded")


def states(events: pd.DataFrame, moment: pd.Timestamp) -> dict[tuple[int, str], tuple[str, int]]:
    """Plan and amount of every subscription that runs at a moment: the last word before it, if it still holds."""
    told = events[(events["occurred_at"] < moment) & events["event"].isin((*PAYMENTS, "cancelled"))]
    last = (
        told[told["currency"].notna() & told["amount_minor"].notna()].groupby(["user_id", "currency"]).tail(1)
    )
    return {
        (row.user_id, row.currency): (row.plan, row.amount_minor)
        for row in last.itertuples()
        if row.event != "cancelled"
        and row.amount_minor > 0
        and moment <= row.occurred_at + timedelta(days=37)
    }


def computed(events: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> dict[str, dict[str, int]]:
    """Openings, closings and movements by currency, person by person."""
    before, after = states(events, start), states(events, end)
    paid = events[events["event"].isin(PAYMENTS) & (events["amount_minor"] > 0)]
    known = set(map(tuple, paid[paid["occurred_at"] < start][["user_id", "currency"]].to_numpy()))
    found: dict[str, dict[str, int]] = {}
    names = {"reactivation": "reactivated", "expansion": "expanded", "contraction": "contracted"}
    for line in before.keys() | after.keys():
        own = found.setdefault(line[1], {})
        was, now = before.get(line, ("", 0))[1], after.get(line, ("", 0))[1]
        for name, amount in (("opening", was), ("closing", now)):
            own[f"{name}_minor"] = own.get(f"{name}_minor", 0) + amount
            own[f"{name}_people"] = own.get(f"{name}_people", 0) + (amount > 0)
        change = movement(was, now, has_paid_before=line in known)
        if change is not None:
            kind = names.get(str(change[0]), str(change[0]))
            for name, amount in ((MINOR.get(kind, f"{kind}_minor"), change[1]), (f"{kind}_people", 1)):
                own[name] = own.get(name, 0) + amount
    return found


@pytest.mark.parametrize("period", ["monthly", "weekly", "daily"])
def test_the_demo_against_a_second_computation(demo, events, period):
    rows = query(
        demo,
        "SELECT * FROM bi_revenue WHERE aggregation_period = :p AND plan = '*' AND currency <> '*'",
        p=period,
    )
    starts = sorted(rows["period_start"].unique())
    picked = starts if period == "monthly" else starts[5 :: len(starts) // 12]
    assert rows["currency"].nunique() >= 2
    looked_at = 0
    for start in picked:
        of_period = rows[rows["period_start"] == start].set_index("currency")
        end = of_period["as_of"].iloc[0]
        expected = computed(events, pd.Timestamp(start), pd.Timestamp(end))
        for currency, values in expected.items():
            row = of_period.loc[currency]
            assert {name: row[name] for name in values} == values
            absent = {f"{kind}_people" for kind in KINDS if not kind.startswith("moved_")} - values.keys()
            assert not row[list(absent)].any()
            looked_at += 1
    assert looked_at > 20


def test_the_identity_holds_of_every_row_by_money_and_by_people(demo):
    rows = query(demo, "SELECT * FROM bi_revenue")
    money = rows[rows["currency"] != "*"]
    net = sum(SIGNS[kind] * money[MINOR.get(kind, f"{kind}_minor")] for kind in KINDS)
    assert (money["opening_minor"] + net == money["closing_minor"]).all()
    net = sum(SIGNS[kind] * rows[f"{kind}_people"] for kind in PEOPLE_MOVES)
    assert (rows["opening_people"] + net == rows["closing_people"]).all()
    assert len(rows) > 1000


def test_plans_add_up_to_the_whole_and_what_moves_moves_within_it(demo):
    rows = query(demo, "SELECT * FROM bi_revenue WHERE currency <> '*'")
    key = ["aggregation_period", "period_start", "currency"]
    names = ["opening_minor", "closing_minor", "new_minor", "churned_minor", "paid_minor", "failed_payments"]
    plans, whole = (
        rows[is_in].groupby(key)[names].sum() for is_in in (rows["plan"] != "*", rows["plan"] == "*")
    )
    pd.testing.assert_frame_equal(plans, whole)
    moves = rows[rows["plan"] != "*"].groupby(key)[["moved_in_minor", "moved_out_minor"]].sum()
    assert (moves["moved_in_minor"] == moves["moved_out_minor"]).all()
    assert moves["moved_in_minor"].sum() > 0


def test_the_end_of_a_period_is_the_start_of_the_next(demo):
    rows = query(
        demo, "SELECT * FROM bi_revenue WHERE aggregation_period = 'daily' AND plan = '*' AND currency <> '*'"
    )
    for _, of_currency in rows.sort_values("period_start").groupby("currency"):
        assert (
            of_currency["closing_minor"].iloc[:-1].to_numpy()
            == of_currency["opening_minor"].iloc[1:].to_numpy()
        ).all()


def test_lifetime_values_are_those_of_the_model_summed_payment_by_payment(demo, events):
    """Patterns, fit and value once more, person by person, and the sum over future payments instead of its closed form."""
    moment = pd.Timestamp("2025-11-01")
    paid = events[
        events["event"].isin(PAYMENTS) & (events["amount_minor"] > 0) & (events["occurred_at"] < moment)
    ]
    patterns, lines = [], []
    for line, own in paid.groupby(["user_id", "currency"]):
        first = own["occurred_at"].min()
        since = (own["occurred_at"] - first) / pd.Timedelta(days=30)
        n = max(int(np.floor((moment - first) / pd.Timedelta(days=30) - 0.5)), 0)
        numbers = {int(k) for k in np.floor(since + 0.5) if 1 <= k <= n}
        patterns.append((len(numbers), max(numbers, default=0), n))
        lines.append(line)
    told = [pattern for pattern in patterns if pattern[2] > 0]
    model = fit(Patterns.of(*zip(*told, strict=True)).counted()).model
    running = states(events, moment)
    picked = [(line, pattern) for line, pattern in zip(lines, patterns, strict=True) if line in running]
    own = Patterns.of(*zip(*(pattern for _, pattern in picked), strict=True))
    discount = discount_per_period(0.10, days=30)
    upto = [model.expected_active(own, ahead=ahead) for ahead in range(1500)]
    summed = sum((upto[k] - upto[k - 1]) / (1 + discount) ** k for k in range(1, 1500))
    rows = query(demo, "SELECT * FROM bi_lifetime_value WHERE as_of = '2025-11-01'").set_index("currency")
    assert rows["is_converged"].all(), rows["reason"].iloc[0]
    assert len(rows) >= 2
    for currency, row in rows.iterrows():
        of_currency = [place for place, (line, _) in enumerate(picked) if line[1] == currency]
        amounts = np.array([running[picked[place][0]][1] for place in of_currency])
        assert row["people"] == len(of_currency)
        assert row["expected_payments"] == pytest.approx(summed[of_currency].mean(), rel=2e-3)
        assert row["lifetime_value_minor"] == pytest.approx((amounts * summed[of_currency]).mean(), rel=2e-3)


def test_the_report_of_a_month_of_the_demo(demo):
    """Written from the warehouse; its free range says the same of the same days; nobody's few are in it."""
    window = Window(datetime(2025, 10, 1), datetime(2025, 11, 1))
    of_month, of_range = (
        gather_financial(demo, Subject(FINANCIAL, period, window)) for period in (Period.MONTHLY, None)
    )
    assert of_range.current.cells == of_month.current.cells
    assert of_range.current.lifetimes == of_month.current.lifetimes
    assert len(of_month.history) == 36
    built = write_report(demo, FINANCIAL_RECIPE, window)
    told = json.loads((demo.settings.reports_path / built.paths[1]).read_text())
    VALIDATOR.validate(told)
    assert told["summary"]["text"][0].startswith("October 2025: ")
    assert told["confidence_score"] > 0
    assert not [count for count in people_in(told) if 0 < count < 11]
    assert write_report(demo, FINANCIAL_RECIPE, window).paths == built.paths


def test_where_people_use_the_app_and_nobody_is_billed_the_report_says_so(new_settings):
    settings = new_settings()
    rows = [
        {
            "user_id": user,
            "session_id": f"{user}",
            "started_at": "2026-02-10 10:00",
            "ended_at": "2026-02-10 10:05",
        }
        for user in range(1, 30)
    ]
    drop_file(settings, "login_sessions/all.csv", csv_text(rows))
    with opened(settings, now=datetime(2026, 4, 20, 12)) as pipeline:
        refresh(pipeline, groups=("staged", "raw"))
        refresh(pipeline, groups=("state", "engagement_groups", "finance"))
        window = Window(datetime(2026, 2, 1), datetime(2026, 3, 1))
        assert last_complete(pipeline, recipe=FINANCIAL_RECIPE, period=Period.MONTHLY) == FEB
        built = write_report(pipeline, FINANCIAL_RECIPE, window)
        told = json.loads((settings.reports_path / built.paths[1]).read_text())
        with pytest.raises(UsageError, match="no data"):
            write_report(pipeline, FINANCIAL_RECIPE, Window(datetime(2025, 2, 1), datetime(2025, 3, 1)))
    assert told["confidence_score"] == 0
    assert told["metrics"] == []
    assert told["summary"]["text"][0].startswith("There are no billing events for February 2026")


def test_later_events_leave_a_report_alone_and_late_ones_do_not(new_settings):
    settings = new_settings()
    rows = ledger_rows()
    drop_file(settings, "billing_events/all.csv", csv_text(rows))
    window = Window(datetime(2026, 2, 1), datetime(2026, 3, 1))

    def add(pipeline: Pipeline, name: str, day: str) -> dict[date, int]:
        row = rows[0] | {"event_id": name, "user_id": 9, "occurred_at": f"{day}T12:00:00Z"}
        drop_file(settings, f"billing_events/{name}.csv", csv_text([row]))
        refresh(pipeline, groups=GROUPS)
        with pipeline.warehouse.transaction() as connection:
            return report_inputs(pipeline, connection, window, recipe=FINANCIAL_RECIPE, period=Period.MONTHLY)

    with opened(settings, now=datetime(2026, 4, 20, 12)) as pipeline:
        first = add(pipeline, "x1", "2026-03-15")
        assert list(first) == [FEB]
        assert add(pipeline, "x2", "2026-04-01") == first
        assert add(pipeline, "x3", "2026-01-15") != first
