from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from healthmate_bi_pipeline.catalog.columns import Type
from healthmate_bi_pipeline.catalog.tables import (
    HEALTH_METRIC_ROWS,
    HEALTH_METRICS_VIEW,
    IDENTITIES,
    READER_TABLES,
    TABLES,
    VIEWS,
)
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse import migrations, schema
from healthmate_bi_pipeline.warehouse.migration import HEAD, VERSION_TABLE, migrate, schema_version
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

SQL_NAMES = {
    Type.INTEGER: "bigint",
    Type.NUMBER: "double precision",
    Type.EXACT: "numeric(38,6)",
    Type.TEXT: "text",
    Type.TEXT_LIST: "text[]",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp without time zone",
    Type.INSTANT: "timestamp with time zone",
    Type.JSON: "jsonb",
}

RELATIONS = """
SELECT c.relname, c.relkind, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid),
    obj_description(c.oid, 'pg_class'), CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ :own ORDER BY 1
"""
# The order of a table's columns is history: what a step adds stands last. A view's is its own.
COLUMNS = """
SELECT c.relname, CASE WHEN c.relkind = 'v' THEN a.attnum END, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
    col_description(c.oid, a.attnum), pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ :own ORDER BY 1, 2, 3
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname !~ :own ORDER BY 1"
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conname !~ :own ORDER BY 1, 2
"""
TRIGGERS = "SELECT pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
FUNCTIONS = (
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
)
SEQUENCES = """
SELECT sequencename, data_type::text, start_value, increment_by FROM pg_sequences
WHERE schemaname = 'public' ORDER BY 1
"""


def described(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All that makes up a schema, as PostgreSQL tells it."""
    questions = {
        "relations": RELATIONS,
        "columns": COLUMNS,
        "indexes": INDEXES,
        "constraints": CONSTRAINTS,
        "triggers": TRIGGERS,
        "functions": FUNCTIONS,
        "sequences": SEQUENCES,
    }
    with engine.connect() as connection:
        return {
            name: [
                tuple(row)
                for row in connection.execute(
                    text(question), {"own": f"^{VERSION_TABLE}"} if ":own" in question else {}
                )
            ]
            for name, question in questions.items()
        }


@pytest.fixture(scope="module")
def engine(new_database, _migrated_template):
    """A migrated database that is only looked at."""
    made = create_engine(new_database(_migrated_template))
    yield made
    made.dispose()


@pytest.fixture
def empty(new_database):
    made = create_engine(new_database(), pool_size=8)
    yield made
    made.dispose()


def test_the_migrations_arrive_at_what_the_catalog_asks_for(engine, empty):
    with empty.begin() as connection:
        for statement in schema.statements():
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    expected, found = described(empty), described(engine)
    for name, rows in expected.items():
        assert found[name] == rows, (
            "write a migration; python -m healthmate_bi_pipeline.warehouse.schema shows the aim"
        )


def test_alembic_finds_no_difference_either(engine):
    partitions = {schema.partition_name(table, value) for table in TABLES for value in table.partition_values}

    def is_ours(_thing, name, kind, _reflected, _compared):
        return not (kind == "table" and name in {*partitions, VERSION_TABLE})

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": is_ours,
                "version_table": VERSION_TABLE,
                "compare_type": True,
                "compare_server_default": True,
            },
        )
        differences = compare_metadata(context, schema.METADATA)
    # It looks at partitions' indexes as if they were tables of their own.
    assert differences == []


@pytest.mark.parametrize("table", [*TABLES, *VIEWS], ids=lambda table: table.name)
def test_every_column_of_the_catalog_is_there_with_type_and_comment(engine, table):
    found = sorted(row[2:] for row in described(engine)["columns"] if row[0] == table.name)
    columns = sorted(table.columns, key=lambda column: column.name)
    assert [(name, kind) for name, kind, *_ in found] == [
        (column.name, SQL_NAMES[column.type]) for column in columns
    ]
    assert [row[4] for row in found] == [column.comment for column in columns]
    if table not in VIEWS:
        assert [row[2] for row in found] == [not column.is_nullable for column in columns]
    comments = {row[0]: row[4] for row in described(engine)["relations"]}
    assert comments[table.name] == table.description


def test_the_rows_are_partitioned_by_period(engine):
    found = {row[0]: row[2] for row in described(engine)["relations"] if row[2] is not None and row[1] == "r"}
    assert found == {
        f"{table.name}_{value}": f"FOR VALUES IN ('{value}')"
        for table in TABLES
        for value in table.partition_values
    }


def test_every_trend_has_a_figure_that_it_is_the_difference_of():
    trends = {figure.name for figure in HEALTH_METRICS_VIEW.columns if getattr(figure, "is_trend", False)}
    assert trends == set(schema.TREND_BASES)
    assert set(schema.TREND_BASES.values()) <= set(HEALTH_METRIC_ROWS.column_names)


def test_the_head_is_the_newest_step():
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [HEAD]
    for step in script.walk_revisions():
        assert step.revision in Path(step.path).name


def test_files_of_an_older_release_are_kept_without_their_columns(empty):
    with empty.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        command.upgrade(config, "0010")
        connection.execute(
            text("INSERT INTO bi_ingested_files VALUES ('a', 'users', 1, 'a.csv', 9, 1, 1, 0, 1, 0, now())")
        )
    assert migrate(empty) is True
    with empty.connect() as connection:
        assert connection.execute(text("SELECT name, columns FROM bi_ingested_files")).one() == (
            "a.csv",
            None,
        )


def test_many_may_migrate_an_empty_database_at_once(empty):
    with ThreadPoolExecutor(6) as pool:
        did = list(pool.map(migrate, [empty] * 6))
    assert sorted(did) == [False] * 5 + [True]
    with empty.connect() as connection:
        assert schema_version(connection) == HEAD
    assert migrate(empty) is False


def test_a_migration_that_fails_leaves_nothing(empty):
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE bi_reports (in_the_way int)"))
    with pytest.raises(Exception, match="bi_reports"):
        migrate(empty)
    assert [row[0] for row in described(empty)["relations"]] == ["bi_reports"]


def test_a_database_of_a_newer_release_is_left_alone(warehouse, settings: Settings):
    with warehouse.transaction() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(UsageError, match="version 9999 and this release of healthmate-bi ends at"):
        Warehouse.open(settings)


def test_the_reader_may_read_everything_but_who_people_are_elsewhere():
    assert set(READER_TABLES) == {table.name for table in (*TABLES, *VIEWS)} - {IDENTITIES.name}
