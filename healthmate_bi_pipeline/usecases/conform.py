"""Conform: staged rows → raw days and quarantine, and the books that show that no row is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import ibis
import ibis.expr.types as ir

from healthmate_bi_pipeline.catalog.columns import Table
from healthmate_bi_pipeline.catalog.datasets import (
    ACTIVITY_INTERVALS,
    LOGIN_SESSIONS,
    PARTITIONED_DATASETS,
    USERS,
    Dataset,
)
from healthmate_bi_pipeline.catalog.lake_tables import (
    moved_table,
    quarantine_table,
    raw_table,
    staged_table,
)
from healthmate_bi_pipeline.domain.period import Window
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.statistics import partition_statistics
from healthmate_bi_pipeline.lake.store import arrow_schema
from healthmate_bi_pipeline.lake.writing import replace_rows
from healthmate_bi_pipeline.transforms import clock, conform, raw
from healthmate_bi_pipeline.usecases import versions
from healthmate_bi_pipeline.usecases.chunks import made_in_chunks
from healthmate_bi_pipeline.usecases.closed_days import (
    booked_after_removal,
    closed_days,
    countable,
    of_open_days,
    with_late_rows,
)
from healthmate_bi_pipeline.usecases.pipeline import UNPARTITIONED, Built, Pipeline, Tally
from healthmate_bi_pipeline.usecases.plausibility import without_impossible_days, without_suspects
from healthmate_bi_pipeline.usecases.set_aside import (
    Places,
    add_places,
    quarantined_places,
    set_aside_messages,
)
from healthmate_bi_pipeline.warehouse import books

_LEFT_BEHIND = ("file_hash", "first_seen_at", "defect", "unparsed", "origin")
"""Columns that only quarantined rows keep: half of what a row takes up in memory."""

STATUSES = (raw.KEPT, raw.DUPLICATE, raw.SUPERSEDED, raw.QUARANTINED)


def build_raw(pipeline: Pipeline, window: Window | None, *, dataset: Dataset) -> Built:
    """Make the raw and quarantined days of a window from the staged rows.

    Raises:
        IntegrityError: the rows of a day do not add up; nothing is recorded then.
    """
    assert window is not None  # noqa: S101 - raw days are partitioned
    asset = f"raw/{dataset.name}"
    reach = window.widened(days_before=dataset.days_before, days_after=dataset.days_after)
    with pipeline.warehouse.transaction() as connection:
        sizes = books.staged_rows(connection, dataset.name, reach)
    rows: dict[date, int] = {}
    counts: dict[str, int] = defaultdict(int)
    places: Places = {}

    def held(chunk: Window) -> tuple[list[books.PartitionRecord], Places]:
        with pipeline.warehouse.hold(asset, chunk):
            return _build_days(pipeline, dataset, chunk, tally=tally)

    with pipeline.recorded(asset, window) as tally:
        for chunk, (made, found) in made_in_chunks(window, sizes, make=held):
            add_places(places, found)
            for record in made:
                rows[record.partition] = record.rows
                for name in ("staged", *STATUSES):
                    counts[name] += record.counts.get(name, 0)
            pipeline.progress(asset, (chunk.end - window.start) / (window.end - window.start))
    with pipeline.warehouse.transaction() as connection:
        messages = set_aside_messages(connection, dataset, places)
    return Built(rows, counts, messages)


def _build_days(
    pipeline: Pipeline, dataset: Dataset, window: Window, *, tally: Tally
) -> tuple[list[books.PartitionRecord], Places]:
    with pipeline.warehouse.transaction() as connection:
        inputs = versions.raw_inputs(pipeline, connection, window, dataset=dataset)
        closed = closed_days(connection, dataset, window)
    with pipeline.engine() as engine:
        stretches = person_stretches(pipeline, engine, window)
        judge = partial(
            conform.judge,
            dataset=dataset,
            stretches=stretches,
            units=engine.memory_table(conform.unit_table()),
        )
        staged = _staged_rows(pipeline, engine, dataset, window)
        narrow = engine.store(with_late_rows(engine, judge(staged).drop(*_LEFT_BEHIND), closed))
        reach = window.widened(days_before=dataset.days_before, days_after=dataset.days_after)
        judged = without_suspects(pipeline, engine, dataset, narrow, days=reach.each_day())
        moved = _moved_rows(pipeline, engine, dataset, judged, judge)
        classified = classify(engine, dataset, judged, moved)
        counted = countable(classified, closed)
        days = _counts(engine, countable(narrow, closed), counted, window)
        places = quarantined_places(engine, counted, window)
        good = classified.filter(classified.booked_as == raw.KEPT)
        kept = raw.raw_rows(good, dataset, window, turns=_clock_turns(engine, dataset, judged, stretches))
        _replace(pipeline, engine, of_open_days(kept, closed), table=raw_table(dataset), window=window)
        bad = raw.quarantined_rows(_bad_rows(engine, counted, staged, judge), dataset, window)
        _replace(pipeline, engine, bad, table=quarantine_table(dataset), window=window)
    _check_books(dataset, days)
    held = partition_statistics(pipeline.lake, raw_table(dataset).name, partition_by="day", window=window)
    made = [
        books.PartitionRecord(
            asset=f"raw/{dataset.name}",
            partition=day,
            input_version=inputs.get(day, 0),
            output_version=inputs.get(day, 0),
            rows=held[day].rows if day in held else 0,
            counts=days.get(day, {}),
            run_id=pipeline.run_id,
            refreshed_at=pipeline.now,
        )
        for day in window.each_day()
    ]
    records = [
        booked_after_removal(record, closed[record.partition]) if record.partition in closed else record
        for record in made
    ]
    with pipeline.warehouse.transaction() as connection:
        books.record_partitions(connection, records)
    tally.rows += sum(record.rows for record in records)
    return records, places


def _staged_rows(pipeline: Pipeline, engine: Engine, dataset: Dataset, window: Window) -> ir.Table:
    table = staged_table(dataset)
    reach = window.widened(days_before=dataset.days_before, days_after=dataset.days_after)
    files = pipeline.lake.files(table.name, window=reach)
    return engine.scan(files, schema=arrow_schema(table.columns), partition_by="day")


def classify(engine: Engine, dataset: Dataset, judged: ir.Table, moved: ir.Table | None) -> ir.Table:
    """Say what became of each row; the joins are left out where there is nothing to join."""
    fates = _fates(engine, dataset, judged.filter(judged.rule.isnull()))
    return without_impossible_days(engine, dataset, raw.with_status(judged, fates, moved))


def _fates(engine: Engine, dataset: Dataset, good: ir.Table) -> ir.Table | None:
    """What becomes of the rows whose key stands more than once, if there are any.

    In steps that are stored: as one query, all columns of all rows would be kept until their hashes are known.
    """
    known = good.filter(good.key_hash.notnull())
    repeated = engine.store(known.group_by("key_hash").agg(n=known.count()).filter(ibis._.n > 1))
    if engine.count(repeated) == 0:
        return None
    crowded = engine.store(good.semi_join(repeated, "key_hash"))
    return engine.store(conform.repeated_rows(crowded, dataset))


def _bad_rows(
    engine: Engine, classified: ir.Table, staged: ir.Table, judge: Callable[[ir.Table], ir.Table]
) -> ir.Table:
    """The rows that broke a rule, with all that was left behind: few, so they are fetched and judged once more."""
    bad = classified.filter(classified.booked_as == raw.QUARANTINED)
    places = engine.store(bad.select("file_number", "row_number", "rule", "own_day"))
    if engine.count(places) == 0:
        return judge(staged).limit(0)
    place = ["file_number", "row_number"]
    return judge(staged.semi_join(places, place)).drop("rule", "own_day").join(places, place)


def _moved_rows(
    pipeline: Pipeline,
    engine: Engine,
    dataset: Dataset,
    judged: ir.Table,
    judge: Callable[[ir.Table], ir.Table],
) -> ir.Table | None:
    """The places of rows whose id has a good later version under another staged day, if there are any."""
    if dataset.id_column is None:
        return None
    table, staged = moved_table(dataset), staged_table(dataset)
    known = engine.scan(pipeline.lake.files(table.name), schema=arrow_schema(table.columns))
    later = engine.store(raw.later_versions(judged, known, dataset))
    days = [row["later_day"] for row in engine.rows(later.select("later_day").distinct())]
    if not days:
        return None
    files = pipeline.lake.files(staged.name, values=days)
    rows = engine.scan(files, schema=arrow_schema(staged.columns), partition_by="day")
    those = rows.semi_join(later, [rows.file_number == later.later_file, rows.row_number == later.later_row])
    # With all of the same id: a blood pressure is judged beside its other half.
    same_id = rows.semi_join(those, ["user_id", dataset.id_column])
    judged_later = without_suspects(pipeline, engine, dataset, engine.store(judge(same_id)), days=days)
    moved = engine.store(raw.moved_rows(later, judged_later))
    return moved if engine.count(moved) else None


def _clock_turns(engine: Engine, dataset: Dataset, judged: ir.Table, stretches: ir.Table) -> ir.Table | None:
    if dataset not in (ACTIVITY_INTERVALS, LOGIN_SESSIONS):
        return None
    turns = engine.store(raw.clock_turns(judged, stretches))
    return turns if engine.count(turns) else None


def _counts(
    engine: Engine, judged: ir.Table, classified: ir.Table, window: Window
) -> dict[date, dict[str, Any]]:
    """Rows per wall-clock day and status, and per rule; ``staged`` is counted before anything is joined."""
    own, staged = (_of_days(rows, window) for rows in (classified, judged))
    days: dict[date, dict[str, Any]] = defaultdict(lambda: {"rules": {}})
    for row in engine.rows(own.group_by(["own_day", "booked_as", "rule"]).agg(n=own.count())):
        of_day = days[row["own_day"]]
        of_day[row["booked_as"]] = of_day.get(row["booked_as"], 0) + row["n"]
        if row["rule"] is not None:
            of_day["rules"][row["rule"]] = row["n"]
    for row in engine.rows(staged.group_by("own_day").agg(n=staged.count())):
        days[row["own_day"]]["staged"] = row["n"]
    return dict(days)


def _of_days(rows: ir.Table, window: Window) -> ir.Table:
    first, last = ibis.literal(window.first_day), ibis.literal(window.last_day)
    return rows.filter((rows.own_day >= first) & (rows.own_day <= last))


def _check_books(dataset: Dataset, days: Mapping[date, Mapping[str, Any]]) -> None:
    for day, of_day in days.items():
        found = sum(of_day.get(status, 0) for status in STATUSES)
        if found != of_day["staged"]:
            raise IntegrityError(
                f"{dataset.name} {day}: {of_day['staged']} rows were staged, but {found} were accounted for."
                " This is a defect of the pipeline: nothing of the day was recorded."
            )


def _replace(pipeline: Pipeline, engine: Engine, rows: ir.Table, *, table: Table, window: Window) -> None:
    schema = arrow_schema(table.columns)
    replace_rows(pipeline.lake, engine, table.name, rows, schema=schema, partition_by="day", window=window)


def build_users(pipeline: Pipeline) -> Built:
    """Make ``raw/users`` from all staged records, and note the days of the people whose records changed."""
    with pipeline.warehouse.hold("raw/users", Window.of_days(UNPARTITIONED, UNPARTITIONED)), pipeline.recorded(
        "raw/users", None
    ) as tally, pipeline.engine() as engine:  # fmt: skip
        with pipeline.warehouse.transaction() as connection:
            version = versions.users_inputs(
                pipeline, connection, Window.of_days(UNPARTITIONED, UNPARTITIONED)
            ).get(UNPARTITIONED, 0)
        staged = staged_table(USERS)
        rows = engine.scan(pipeline.lake.files(staged.name), schema=arrow_schema(staged.columns))
        zones = engine.memory_table(conform.zone_table())
        judged = engine.store(conform.judge_users(rows.filter(rows.defect.isnull()), zones))
        classified = engine.store(classify(engine, USERS, judged, None))
        kept = engine.store(raw.raw_users(classified.filter(classified.booked_as == raw.KEPT)))
        before = scan_users(pipeline, engine)
        days = _days_of_changed_people(pipeline, engine, before, kept)
        # Noted before the records are replaced, so that a kill in between forgets no day, and again when they
        # are: another run may have made a day from the old records in between.
        cause = f"records:{version}"
        with pipeline.warehouse.transaction() as connection:
            books.note_days(connection, USERS.name, cause, days)
        broken = classified.filter(classified.booked_as == raw.QUARANTINED)
        bad = raw.quarantined_rows(broken, USERS, Window.of_days(UNPARTITIONED, UNPARTITIONED))
        for expression, table in ((kept, raw_table(USERS)), (bad, quarantine_table(USERS))):
            schema = arrow_schema(table.columns)
            pipeline.lake.replace_all(table.name, engine.stream(expression, schema=schema))
        counts = _user_counts(engine, classified)
        places = quarantined_places(engine, classified, None)
        record = books.PartitionRecord(
            asset="raw/users",
            partition=UNPARTITIONED,
            input_version=version,
            output_version=version,
            rows=counts.get(raw.KEPT, 0),
            counts=counts,
            run_id=pipeline.run_id,
            refreshed_at=pipeline.now,
        )
        with pipeline.warehouse.transaction() as connection:
            books.note_days(
                connection, USERS.name, f"{cause}:replaced", books.noted_days(connection, USERS.name, cause)
            )
            books.record_partitions(connection, [record])
        tally.rows = record.rows
    with pipeline.warehouse.transaction() as connection:
        messages = set_aside_messages(connection, USERS, places)
    plain = {name: count for name, count in counts.items() if name != "rules"}
    return Built({UNPARTITIONED: record.rows}, plain, messages)


def _user_counts(engine: Engine, classified: ir.Table) -> dict[str, Any]:
    counts: dict[str, Any] = {"rules": {}, "staged": engine.count(classified)}
    for row in engine.rows(classified.group_by(["booked_as", "rule"]).agg(n=classified.count())):
        counts[row["booked_as"]] = counts.get(row["booked_as"], 0) + row["n"]
        if row["rule"] is not None:
            counts["rules"][row["rule"]] = row["n"]
    return counts


def _days_of_changed_people(
    pipeline: Pipeline, engine: Engine, before: ir.Table, after: ir.Table
) -> dict[date, int]:
    """The days on which people have rows whose records are new, gone or changed."""
    said = [
        name for name in raw_table(USERS).column_names if name not in ("file_number", "row_number", "origin")
    ]
    old, new = before.select(*said), after.select(*said)
    changed = engine.store(
        new.difference(old).select("user_id").union(old.difference(new).select("user_id"), distinct=True)
    )
    if engine.count(changed) == 0:
        return {}
    days: dict[date, int] = {}
    for dataset in (dataset for dataset in PARTITIONED_DATASETS if dataset.has_wall_clock):
        table = staged_table(dataset)
        rows = engine.scan(
            pipeline.lake.files(table.name), schema=arrow_schema(table.columns), partition_by="day"
        )
        touched = rows.filter(rows.day.notnull()).semi_join(changed, "user_id").select("day").distinct()
        for row in engine.rows(touched):
            # The staged day is within a day of the wall-clock days that it feeds.
            for shift in range(-dataset.days_after, dataset.days_before + 1):
                days[row["day"] + timedelta(days=shift)] = 0
    return days


def scan_users(pipeline: Pipeline, engine: Engine) -> ir.Table:
    """The people's records."""
    table = raw_table(USERS)
    return engine.scan(pipeline.lake.files(table.name), schema=arrow_schema(table.columns))


def person_stretches(pipeline: Pipeline, engine: Engine, window: Window) -> ir.Table:
    """Stretches of constant offset of all people, around a window."""
    users = scan_users(pipeline, engine)
    names = [
        row["time_zone"] for row in engine.rows(users.select("time_zone").distinct()) if row["time_zone"]
    ]
    zones = engine.memory_table(clock.zone_stretches(names, window))
    return engine.store(clock.person_stretches(users, zones))
