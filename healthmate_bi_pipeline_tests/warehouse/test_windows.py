import math
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.tables import HEALTH_GROUPS, HEALTH_METRIC_ROWS
from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse.copying import BATCH_ROWS
from healthmate_bi_pipeline.warehouse.windows import Replacement, replace_window
from healthmate_bi_pipeline_tests.warehouse.rows import FIRST, LATER, figures_of, health_row, reader

MARCH = datetime(2026, 3, 1)
WINDOW = Period.MONTHLY.window(MARCH)
EXAMPLES = {
    Type.INTEGER: 2**62 + 12345,
    Type.NUMBER: 0.1 + 0.2,
    Type.TEXT: "Kopfschmerz, “stark”\n\\N\t",
    Type.BOOLEAN: True,
    Type.JSON: {"headache": 3, "ünwell": [1.5, None]},
}


def monthly(user_id, **values):
    return health_row(user_id, Period.MONTHLY, MARCH, **values)


def replace(warehouse, rows, *, now=FIRST, period=Period.MONTHLY, window=WINDOW, table=HEALTH_METRIC_ROWS):
    with warehouse.transaction() as connection:
        return replace_window(
            connection, table=table, period=period, window=window, rows=reader(rows, table), now=now
        )


def stored(warehouse, table=HEALTH_METRIC_ROWS):
    with warehouse.transaction() as connection:
        found = connection.execute(text(f"SELECT * FROM {table.name}")).mappings()
        return {tuple(row[name] for name in table.key): dict(row) for row in found}


def stamps(warehouse):
    return {key[0]: (row["created_at"], row["updated_at"]) for key, row in stored(warehouse).items()}


def test_every_type_comes_back_as_it_went_in(warehouse):
    full = monthly(1, **{column.name: EXAMPLES[column.type] for column in figures_of(HEALTH_METRIC_ROWS)})
    empty = monthly(2)
    assert replace(warehouse, [full, empty]) == Replacement(inserted=2)
    found = stored(warehouse)
    for row in (full, empty):
        expected = {**row, "created_at": FIRST, "updated_at": FIRST}
        assert found[row["user_id"], "monthly", MARCH] == expected
    again = [{**row, "state_version": 2} for row in (full, empty)]  # and so it does by way of the comparison
    assert replace(warehouse, again, now=LATER) == Replacement(unchanged=2)
    assert found[1, "monthly", MARCH] | {"state_version": 2} == stored(warehouse)[1, "monthly", MARCH]


def test_stamps_move_with_figures_only(warehouse):
    replace(warehouse, [monthly(user, avg_bmi=20.0) for user in (1, 2, 3, 4)])
    rows = [
        monthly(1, avg_bmi=20.0),  # identical
        monthly(2, avg_bmi=20.0, state_version=2),  # made anew, and the same
        monthly(3, avg_bmi=21.0, state_version=2),
        monthly(5, avg_bmi=22.0),  # 4 does not come again
    ]
    assert replace(warehouse, rows, now=LATER) == Replacement(inserted=1, changed=1, unchanged=2, deleted=1)
    assert stamps(warehouse) == {
        1: (FIRST, FIRST),
        2: (FIRST, FIRST),
        3: (FIRST, LATER),
        5: (LATER, LATER),
    }
    assert stored(warehouse)[2, "monthly", MARCH]["state_version"] == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"avg_bmi": None}, {"avg_bmi": 20.0}),
        ({"avg_bmi": 20.0}, {"avg_bmi": None}),
        ({"is_complete": False}, {"is_complete": True}),
        ({"registry_version": 1}, {"registry_version": 2}),
        ({"symptom_frequency": {"a": 1}}, {"symptom_frequency": {"a": 2}}),
        ({"avg_bmi": 20.0}, {"avg_bmi": math.nextafter(20.0, 21)}),
    ],
    ids=str,
)
def test_what_counts_as_a_change(warehouse, before, after):
    replace(warehouse, [monthly(1, **before)])
    assert replace(warehouse, [monthly(1, **after)], now=LATER) == Replacement(changed=1)
    assert stamps(warehouse) == {1: (FIRST, LATER)}


def test_identical_rows_are_not_written_again(warehouse):
    rows = [monthly(user, avg_bmi=20.0) for user in range(50)]
    places = "SELECT array_agg(ctid::text ORDER BY user_id) FROM bi_health_metric_rows"
    replace(warehouse, rows)
    with warehouse.transaction() as connection:
        before = connection.scalar(text(places))
    assert replace(warehouse, rows, now=LATER) == Replacement(unchanged=50)
    with warehouse.transaction() as connection:
        assert connection.scalar(text(places)) == before


@pytest.mark.parametrize("period", list(Period))
def test_other_windows_and_periods_stay(warehouse, period):
    start = period.floor(datetime(2026, 4, 1))
    window = Window(start, period.next(start))
    for other in Period:
        for first in (other.previous(other.floor(start)), other.floor(start), other.next(other.floor(start))):
            replace(
                warehouse,
                [health_row(1, other, first)],
                period=other,
                window=Window(first, other.next(first)),
            )
    before = stored(warehouse)
    assert len(before) == 18
    replaced = replace(warehouse, [health_row(2, period, start)], period=period, window=window, now=LATER)
    assert replaced == Replacement(inserted=1, deleted=1)
    after = stored(warehouse)
    assert before.keys() - after.keys() == {(1, str(period), start)}
    assert after.keys() - before.keys() == {(2, str(period), start)}
    assert all(after[key] == row for key, row in before.items() if key in after)


def test_a_window_of_many_periods_is_replaced_at_once(warehouse):
    day = Window(MARCH, MARCH + timedelta(days=1))
    rows = [
        health_row(user, Period.HOURLY, MARCH + timedelta(hours=hour), total_steps=float(hour))
        for user in (1, 2)
        for hour in range(24)
    ]
    assert replace(warehouse, rows, period=Period.HOURLY, window=day) == Replacement(inserted=48)
    assert replace(warehouse, rows[:30], period=Period.HOURLY, window=day) == Replacement(
        unchanged=30, deleted=18
    )


def test_nothing_may_come_and_empties_the_window(warehouse):
    assert replace(warehouse, []) == Replacement()
    replace(warehouse, [monthly(1)])
    assert replace(warehouse, []) == Replacement(deleted=1)
    assert stored(warehouse) == {}


def test_a_rollback_leaves_everything(warehouse):
    replace(warehouse, [monthly(1, avg_bmi=20.0)])
    before = stored(warehouse)

    def replace_and_fail():
        with warehouse.transaction() as connection:
            rows = reader([monthly(1, avg_bmi=30.0), monthly(2)])
            replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=Period.MONTHLY,
                window=WINDOW,
                rows=rows,
                now=LATER,
            )
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_and_fail()
    assert stored(warehouse) == before


def test_several_windows_may_be_replaced_in_one_transaction(warehouse):
    replace(warehouse, [monthly(1)])
    with warehouse.transaction() as connection:
        for number in (2, 3):
            replaced = replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=Period.MONTHLY,
                window=WINDOW,
                rows=reader([monthly(number)]),
                now=LATER,
            )
            assert replaced == Replacement(inserted=1, deleted=1)
    assert list(stored(warehouse)) == [(3, "monthly", MARCH)]


def group(figure, band, **values):
    row = {
        "aggregation_period": "monthly", "period_start": MARCH, "period_end": WINDOW.end, "stratum": "all",
        "figure": figure, "band": band, "people": 12, "total": 1.5, "total_squared": 2.5,
        "low": 0.0, "high": 1.0, "is_complete": False, "state_version": 7, "registry_version": 1,
    }  # fmt: skip
    return {**row, **values}


def test_any_table_of_periods_will_do(warehouse):
    rows = [group("avg_bmi", band) for band in (-1, 0, 1)]
    assert replace(warehouse, rows, table=HEALTH_GROUPS) == Replacement(inserted=3)
    rows = [group("avg_bmi", -1, people=13), group("avg_bmi", 0), group("total_steps", -1)]
    replaced = replace(warehouse, rows, table=HEALTH_GROUPS, now=LATER)
    assert replaced == Replacement(inserted=1, changed=1, unchanged=1, deleted=1)
    found = stored(warehouse, HEALTH_GROUPS)
    assert found["monthly", MARCH, "all", "avg_bmi", -1]["people"] == 13


@pytest.mark.parametrize("is_filled", [False, True], ids=["empty window", "filled window"])
@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (monthly(778899, period_start=WINDOW.end), "1 rows .* lie outside of monthly"),
        (monthly(778899, period_start=MARCH - timedelta(days=1)), "1 rows .* lie outside"),
        (monthly(778899, period_start=None), "1 rows .* lie outside"),
        (monthly(778899, aggregation_period="daily"), "1 rows .* lie outside"),
        (monthly(778899, avg_bmi=math.nan), "NaN or an infinity in avg_bmi"),
        (monthly(778899, max_heart_rate=-math.inf), "NaN or an infinity in max_heart_rate"),
        (monthly(778899, period_end=None), "period_end"),
        (monthly(1), "pkey|hold a key twice"),
    ],
    ids=["after", "before", "no start", "other period", "NaN", "infinity", "missing value", "a key twice"],
)
def test_rows_that_must_not_go_in_leave_everything_as_it_was(warehouse, is_filled, row, complaint):
    if is_filled:
        replace(warehouse, [monthly(1), monthly(3)])
    before = stored(warehouse)
    with pytest.raises(IntegrityError, match=complaint) as caught:
        replace(warehouse, [*(monthly(user) for user in (1, 2, 3, 4)), row], now=LATER)
    assert "778899" not in str(caught.value)
    assert stored(warehouse) == before


def test_columns_must_be_those_of_the_table(warehouse):
    row = reader([monthly(1)]).read_all()
    odd = row.drop_columns(["avg_bmi"]).append_column("colour", pa.array(["red"]))
    text_for_number = row.set_column(row.column_names.index("avg_bmi"), "avg_bmi", pa.array(["planted"]))
    for table, complaint in (
        (odd, "have unknown colour"),
        (row.drop_columns(["period_end"]), "lack period_end"),
        (text_for_number, r"bi_health_metric_rows\.avg_bmi cannot be written: string came, double"),
    ):
        with pytest.raises(IntegrityError, match=complaint) as caught, warehouse.transaction() as connection:
            replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=Period.MONTHLY,
                window=WINDOW,
                rows=table.to_reader(),
                now=FIRST,
            )
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize("is_filled", [False, True])
def test_columns_that_rows_lack_are_null(warehouse, is_filled):
    if is_filled:
        replace(warehouse, [monthly(1, avg_bmi=20.0, max_heart_rate=90.0)])
    lacking = reader([monthly(1, max_heart_rate=90.0)]).read_all().drop_columns(["avg_bmi", "total_steps"])
    with warehouse.transaction() as connection:
        replaced = replace_window(
            connection,
            table=HEALTH_METRIC_ROWS,
            period=Period.MONTHLY,
            window=WINDOW,
            rows=lacking.to_reader(),
            now=LATER,
        )
    assert replaced == (Replacement(changed=1) if is_filled else Replacement(inserted=1))
    row = stored(warehouse)[1, "monthly", MARCH]
    assert (row["avg_bmi"], row["total_steps"], row["max_heart_rate"]) == (None, None, 90.0)


def test_narrower_types_are_widened(warehouse):
    row = reader([monthly(1, heart_rate_readings=5, avg_bmi=20.0)]).read_all()
    narrow = {"heart_rate_readings": pa.int32(), "avg_bmi": pa.float32(), "period_start": pa.timestamp("ns")}
    for name, kind in narrow.items():
        row = row.set_column(row.column_names.index(name), name, row[name].cast(kind))
    with warehouse.transaction() as connection:
        replace_window(
            connection,
            table=HEALTH_METRIC_ROWS,
            period=Period.MONTHLY,
            window=WINDOW,
            rows=row.to_reader(),
            now=FIRST,
        )
    assert stored(warehouse)[1, "monthly", MARCH]["heart_rate_readings"] == 5


def test_a_stream_is_read_once_a_few_rows_at_a_time(warehouse):
    schema = reader([]).schema
    (batch,) = reader([monthly(0)]).read_all().to_batches()
    total = 3 * BATCH_ROWS + 1
    numbers = pa.array(range(total), pa.int64())
    columns = [
        numbers if field.name == "user_id" else pa.repeat(batch[field.name][0], total) for field in schema
    ]
    whole = pa.RecordBatch.from_arrays(columns, schema=schema)  # one batch, larger than is encoded at once
    for expected in (Replacement(inserted=total), Replacement(unchanged=total)):
        with warehouse.transaction() as connection:
            replaced = replace_window(
                connection,
                table=HEALTH_METRIC_ROWS,
                period=Period.MONTHLY,
                window=WINDOW,
                rows=pa.RecordBatchReader.from_batches(schema, [whole]),
                now=FIRST,
            )
        assert replaced == expected


PEOPLE = st.dictionaries(
    st.integers(1, 8), st.tuples(st.sampled_from([None, 0.0, -0.0, 1.5]), st.integers(1, 2)), max_size=6
)


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deliveries=st.lists(PEOPLE, min_size=1, max_size=4))
def test_any_series_of_deliveries_ends_as_if_done_by_hand(warehouse, deliveries):
    replace(warehouse, [])
    expected = {}
    for number, people in enumerate(deliveries):
        now = FIRST + timedelta(days=number)
        rows = [
            monthly(user, avg_bmi=bmi, state_version=version)
            for user, (bmi, version) in sorted(people.items())
        ]
        replaced = replace(warehouse, rows, now=now)
        counts = {
            "inserted": 0,
            "changed": 0,
            "unchanged": 0,
            "deleted": len(expected.keys() - people.keys()),
        }
        made = {}
        for user, (bmi, version) in people.items():
            known = expected.get(user)
            if known is None:
                counts["inserted"] += 1
                made[user] = (bmi, version, now, now)
            elif known[0] == bmi:
                counts["unchanged"] += 1
                made[user] = (bmi, version, *known[2:])
            else:
                counts["changed"] += 1
                made[user] = (bmi, version, known[2], now)
        expected = made
        assert replaced == Replacement(**counts)
        assert replaced.rows == len(expected)
        found = {
            key[0]: (row["avg_bmi"], row["state_version"], row["created_at"], row["updated_at"])
            for key, row in stored(warehouse).items()
        }
        assert found == expected
