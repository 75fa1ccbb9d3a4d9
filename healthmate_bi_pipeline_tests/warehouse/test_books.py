import hashlib
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pyarrow as pa
import pytest
from sqlalchemy import text

from healthmate_bi_pipeline.catalog.tables import INGESTED_FILES, PARTITIONS
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse import books
from healthmate_bi_pipeline.warehouse.books import FileAccount, FileTotals, PartitionRecord

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARCH = Window.of_days(date(2026, 3, 1), date(2026, 3, 31))
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def account(file_hash, *, days=None, dataset="health_readings", number=1):
    return FileAccount(
        file_hash=file_hash, dataset=dataset, file_number=number, name=f"{file_hash}.csv", bytes=100,
        lines=10, rows=9, rejected=1, staged=7, undated=2, first_seen_at=NOW, days=days or {},
    )  # fmt: skip


def record(partition, *, asset="raw/health_readings", **values):
    made = PartitionRecord(
        asset=asset, partition=partition, input_version=-5, output_version=2**62, rows=7,
        counts={"staged": 9, "rules": {"negative": 2}}, run_id="r1", refreshed_at=NOW,
    )  # fmt: skip
    return replace(made, **values)


@pytest.fixture
def connection(warehouse):
    with warehouse.transaction() as opened:
        yield opened


def test_the_values_are_the_columns():
    assert [column.name for column in fields(FileAccount)] == [*INGESTED_FILES.column_names, "days"]
    assert tuple(column.name for column in fields(PartitionRecord)) == PARTITIONS.column_names


def test_a_file_is_known_once_it_is_registered(connection):
    assert books.known_files(connection, "health_readings", ["a", "b"]) == set()
    assert books.register_files(connection, [account("a"), account("a", dataset="users"), account("c")]) == 3
    assert books.known_files(connection, "health_readings", {"a", "b"}) == {"a"}
    assert books.known_files(connection, "health_readings", []) == set()
    assert books.file_hashes(connection, "health_readings") == ["a", "c"]
    totals = FileTotals(files=2, bytes=200, lines=20, rows=18, rejected=2, staged=14, undated=4)
    assert books.file_totals(connection, "health_readings") == totals
    assert books.file_totals(connection, "sleep_sessions") == FileTotals()


def test_the_same_file_again_changes_nothing(connection):
    books.register_files(connection, [account("a", days={FIRST: 7})])
    versions = books.staged_versions(connection, "health_readings", MARCH)
    again = replace(account("a", days={FIRST: 99, SECOND: 1}, number=2), name="other.csv")
    assert books.register_files(connection, [again, again]) == 0
    assert books.register_files(connection, []) == 0
    assert books.staged_versions(connection, "health_readings", MARCH) == versions
    assert books.staged_rows(connection, "health_readings", MARCH) == {FIRST: 7}
    assert connection.scalar(text("SELECT name FROM bi_ingested_files")) == "a.csv"


def test_many_files_with_many_days_are_registered_at_once(connection):
    days = {date.fromordinal(FIRST.toordinal() + number): number for number in range(400)}
    assert (
        books.register_files(connection, [account(f"{number:064}", days=days) for number in range(60)]) == 60
    )
    assert books.staged_days(connection, "health_readings") == list(days)
    assert books.staged_rows(connection, "health_readings", Window.of_days(FIRST, SECOND)) == {
        FIRST: 0,
        SECOND: 60,
    }


def test_an_account_that_does_not_add_up_is_refused():
    with pytest.raises(IntegrityError, match=r"health_readings/a\.csv: the rows do not add up"):
        replace(account("a"), staged=8)
    with pytest.raises(IntegrityError, match="11 lines, 9 rows, 1 rejected"):
        replace(account("a"), lines=11)


def test_a_days_version_is_the_hash_of_its_set_of_files(connection):
    books.register_files(
        connection, [account("b", days={FIRST: 1}), account("a", days={FIRST: 1, SECOND: 1})]
    )
    books.note_days(connection, "health_readings", "records:5", {SECOND: 0})
    books.note_days(connection, "health_readings", "records:5", {SECOND: 0})
    books.note_days(connection, "health_readings", "records:6", {})

    def hashed(*names):
        return int.from_bytes(hashlib.sha256(",".join(names).encode()).digest()[:8], "big", signed=True)

    expected = {FIRST: hashed("a", "b"), SECOND: hashed("a", "records:5")}
    assert books.staged_versions(connection, "health_readings", MARCH) == expected
    assert books.staged_versions(connection, "health_readings", Window.of_days(SECOND, SECOND)).keys() == {
        SECOND
    }
    assert books.staged_versions(connection, "users", MARCH) == {}


def test_numbers_of_files_rise_and_are_never_given_twice(warehouse):
    given = []

    def ask_and_fail():
        with warehouse.transaction() as connection:
            given.append(books.next_file_number(connection))
            raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            ask_and_fail()
    assert (
        min(later - earlier for earlier, later in pairwise(given)) >= 1_000_000
    )  # all that lie between belong to the one who asked


def test_partitions_are_entered_and_changed(connection):
    books.record_partitions(connection, [])
    books.record_partitions(
        connection, [record(SECOND), record(FIRST), record(FIRST, asset="raw/users", run_id=None)]
    )
    changed = record(SECOND, rows=8, counts={}, run_id="r2")
    books.record_partitions(connection, [changed])
    assert books.partition_records(connection, "raw/health_readings") == {
        FIRST: record(FIRST),
        SECOND: changed,
    }
    only = books.partition_records(connection, "raw/health_readings", window=Window.of_days(SECOND, SECOND))
    assert only == {SECOND: changed}
    assert books.partition_records(connection, "raw/users")[FIRST].run_id is None


def test_partitions_are_forgotten(connection):
    books.record_partitions(connection, [record(FIRST), record(SECOND), record(FIRST, asset="raw/users")])
    window = Window.of_days(SECOND, SECOND)
    assert books.forget_partitions(connection, "raw/health_readings", window=window) == 1
    assert list(books.partition_records(connection, "raw/health_readings")) == [FIRST]
    assert books.forget_partitions(connection, "raw/health_readings") == 1
    assert list(books.partition_records(connection, "raw/users")) == [FIRST]


def test_a_naive_instant_is_utc(connection):
    books.record_partitions(connection, [record(FIRST, refreshed_at=NOW.replace(tzinfo=None))])
    assert books.partition_records(connection, "raw/health_readings")[FIRST].refreshed_at == NOW


def pairs(**numbers):
    return pa.table(
        {
            "foreign_id": pa.array(list(numbers), pa.string()),
            "user_id": pa.array(list(numbers.values()), pa.int64()),
        }
    )


def test_people_of_other_systems_are_entered_once(connection):
    assert books.register_identities(connection, "fitbit", pairs(ann=2**62 + 2, bob=2**62 + 1), now=NOW) == 2
    assert books.register_identities(connection, "fitbit", pairs(ann=2**62 + 2, cyd=2**62 + 3), now=NOW) == 1
    assert books.register_identities(connection, "garmin", pairs(ann=2**62 + 9), now=NOW) == 1
    assert books.register_identities(connection, "fitbit", pairs(), now=NOW) == 0
    assert connection.scalar(text("SELECT count(*) FROM bi_identities")) == 4


@pytest.mark.parametrize(
    ("system", "pair"),
    [("fitbit", {"planted": 778899}), ("garmin", {"ann": 778899}), ("fitbit", {"ann": 2**62})],
    ids=["number of another person", "number of another system's person", "another number"],
)
def test_a_collision_of_people_is_refused_and_registers_nothing(warehouse, system, pair):
    with warehouse.transaction() as connection:
        books.register_identities(connection, "fitbit", pairs(ann=778899), now=NOW)
    with (
        pytest.raises(IntegrityError, match=f"1 people of {system}") as caught,
        warehouse.transaction() as connection,
    ):
        books.register_identities(connection, system, pairs(dora=5, **pair), now=NOW)
    assert "planted" not in str(caught.value)
    assert "778899" not in str(caught.value)
    with warehouse.transaction() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bi_identities")) == 1


def test_the_first_file_of_a_day_is_the_one_that_counts(connection):
    late = replace(account("b", days={FIRST: 3, SECOND: 4}, number=2), first_seen_at=NOW.replace(day=20))
    assert books.first_file_at(connection) is None
    books.register_files(connection, [late, account("a", days={FIRST: 7, date(2026, 3, 9): 0})])
    assert books.first_seen(connection, "health_readings", MARCH) == {FIRST: NOW, SECOND: late.first_seen_at}
    assert books.first_seen(connection, "sleep_sessions", MARCH) == {}
    assert books.first_file_at(connection) == NOW
