import threading
import time
from datetime import date

import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import (
    BusyError,
    DiskFullError,
    IntegrityError,
    LostServerError,
    TransientError,
)
from healthmate_bi_pipeline.warehouse.locks import advisory_key, window_keys
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse
from healthmate_bi_pipeline_tests.warehouse.processes import OtherProcess

_ADVISORY_LOCKS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database()
"""  # the server is shared with other tests
ASSET = "raw/health_readings"
MARCH = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
END_OF_MARCH = Window.of_days(date(2026, 3, 31), date(2026, 4, 2))
MAY = Window.of_days(date(2026, 5, 1), date(2026, 5, 1))

HOLD = """
with Warehouse.open(Settings(database_url=sys.argv[1])) as warehouse:
    with warehouse.hold("raw/health_readings", Window.of_days(date(2026, 3, 1), date(2026, 3, 31))):
        say("held")
        wait()
"""


def days(warehouse):
    with warehouse.transaction() as connection:
        return connection.scalar(text("SELECT count(*) FROM bi_ingested_file_days"))


def add_day(connection, day):
    statement = "INSERT INTO bi_ingested_file_days VALUES ('ab', 'users', :day, 778899)"
    connection.execute(text(statement), {"day": day})


def test_a_transaction_is_kept_whole_or_not_at_all(warehouse):
    with warehouse.transaction() as connection:
        add_day(connection, "2026-03-01")

    def add_and_fail():
        with warehouse.transaction() as connection:
            add_day(connection, "2026-03-02")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_and_fail()
    assert days(warehouse) == 1


def test_what_postgresql_refuses_is_told_without_its_values(warehouse):
    with warehouse.transaction() as connection:
        add_day(connection, "2026-03-01")
    with pytest.raises(IntegrityError) as caught, warehouse.transaction() as connection:
        add_day(connection, "2026-03-01")
    assert "bi_ingested_file_days_pkey" in str(caught.value)
    assert "2026" not in str(caught.value)
    with pytest.raises(IntegrityError) as caught, warehouse.transaction() as connection:
        connection.execute(text("SELECT CAST(:value AS bigint)"), {"value": "planted"})
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_lost_connection_may_come_back(warehouse):
    def lose():
        with warehouse.transaction() as connection:
            own = connection.scalar(text("SELECT pg_backend_pid()"))
            with warehouse.transaction() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
            add_day(connection, "2026-03-01")

    with pytest.raises(TransientError, match="what was not committed is undone"):
        lose()
    assert days(warehouse) == 0  # over a new connection


def test_nobody_else_gets_in_while_a_window_is_held(warehouse, settings):
    with Warehouse.open(settings) as other, warehouse.hold(ASSET, MARCH):
        for window in (MARCH, END_OF_MARCH, Window.of_days(date(2025, 1, 1), date(2027, 1, 1))):
            with (
                pytest.raises(BusyError, match=rf"{ASSET} {window} is being made by another run.*0\.05 s"),
                other.hold(ASSET, window, wait_seconds=0.05),
            ):
                pytest.fail("two hold one window")
        with other.hold(ASSET, MAY, wait_seconds=0.05), other.hold("raw/users", MARCH, wait_seconds=0.05):
            pass
    with warehouse.hold(ASSET, MARCH, wait_seconds=0.05):
        pass


def test_a_window_that_is_waited_for_is_given_when_it_is_free(warehouse):
    order = []

    def second():
        with warehouse.hold(ASSET, END_OF_MARCH, wait_seconds=30):
            order.append("second")

    with warehouse.hold(ASSET, MARCH):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_waiting_is_over_in_time_and_no_limit_stays(warehouse):
    with warehouse.hold(ASSET, MARCH):
        started = time.monotonic()
        with pytest.raises(BusyError), warehouse.hold(ASSET, MARCH, wait_seconds=0.2):
            pass
        assert time.monotonic() - started >= 0.2
    with warehouse.transaction() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0"
        assert connection.scalar(text(_ADVISORY_LOCKS)) == 0


def test_opposite_orders_do_not_lock_each_other_up(warehouse):
    windows = [
        Window.of_days(date(2026, 1, 1), date(2026, 12, 31)),
        Window.of_days(date(2026, 6, 1), date(2027, 3, 1)),
    ]
    failures = []

    def work(window):
        try:
            for _ in range(15):
                with warehouse.hold(ASSET, window, wait_seconds=30):
                    pass
        except TransientError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(window,)) for window in windows * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_killed_holder_lets_go(warehouse, database_url):
    holder = OtherProcess(HOLD, database_url.render_as_string(hide_password=False))
    assert holder.hear() == "held"
    with pytest.raises(BusyError), warehouse.hold(ASSET, MARCH, wait_seconds=0.1):
        pass
    holder.kill()
    with warehouse.hold(ASSET, MARCH, wait_seconds=10):
        pass


def test_a_holder_that_fails_lets_go(warehouse):
    with pytest.raises(ZeroDivisionError), warehouse.hold(ASSET, MARCH):
        raise ZeroDivisionError
    with warehouse.hold(ASSET, MARCH, wait_seconds=0.1):
        pass


def test_locks_are_one_per_month_and_the_same_everywhere():
    window = Window.of_days(date(2025, 12, 31), date(2026, 2, 1))
    keys = window_keys(ASSET, window)
    assert keys == sorted(advisory_key("window", ASSET, month) for month in ("2025-12", "2026-01", "2026-02"))
    assert all(-(2**63) <= key < 2**63 for key in keys)
    # Another release that runs at the same time must know them by the same numbers.
    assert advisory_key("window", ASSET, "2026-03") == 4076878717371743360


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("53100", DiskFullError, "The disk of PostgreSQL is full"),
        ("57P01", LostServerError, "PostgreSQL was stopped"),
        ("57P03", LostServerError, "PostgreSQL is starting or stopping"),
        ("53300", TransientError, "takes no more connections"),
        ("25006", TransientError, "takes no writes at the moment"),
    ],
)
def test_what_passes_by_itself_is_told_by_its_reason(warehouse, code, kind, said):
    raised = text(f"DO $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'; END $$")
    with pytest.raises(kind, match=said) as caught, warehouse.transaction() as connection:
        connection.execute(raised)
    assert "planted" not in str(caught.value)
