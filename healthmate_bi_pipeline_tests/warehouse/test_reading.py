from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import create_engine, text

from healthmate_bi_pipeline.catalog.tables import READER_TABLES
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.reading import READER_ROLE, QueryResult, run_query
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse, make_engine

ONE_STATEMENT = "Only one statement that gives rows"
READ_ONLY = "read-only transaction"
DENIED = "permission denied"


@pytest.fixture(scope="module")
def filled(new_database, _migrated_template):
    """One warehouse for all questions, which is the same after them."""
    warehouse = Warehouse(make_engine(new_database(_migrated_template)))
    days = "SELECT 'ab', 'users', date '2026-03-01' + n, n FROM generate_series(0, 9) n"
    with warehouse.transaction() as connection:
        connection.execute(text("INSERT INTO bi_identities VALUES (778899, 'fitbit', 'planted', now())"))
        connection.execute(text(f"INSERT INTO bi_ingested_file_days {days}"))
    yield warehouse
    with warehouse.transaction() as connection:
        assert connection.scalar(text("SELECT count(*) FROM bi_ingested_file_days")) == 10
        assert connection.scalar(text("SELECT count(*) FROM pg_largeobject_metadata")) == 0
    warehouse.close()


def is_there(warehouse, role):
    with warehouse.transaction() as connection:
        return (
            connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :role"), {"role": role})
            == 1
        )


def test_a_question_is_answered(filled):
    answer = run_query(filled, "SELECT day, rows FROM bi_ingested_file_days ORDER BY day;")
    assert answer.columns == ("day", "rows")
    assert answer.rows[:2] == [(date(2026, 3, 1), 0), (date(2026, 3, 2), 1)]
    assert len(answer.rows) == 10
    assert not answer.is_cut


def test_an_answer_is_cut_at_the_limit(filled):
    question = "SELECT rows FROM bi_ingested_file_days ORDER BY rows"
    assert run_query(filled, question, limit=2) == QueryResult(("rows",), [(0,), (1,)], is_cut=True)
    assert not run_query(filled, question, limit=10).is_cut
    assert run_query(filled, question, limit=0) == QueryResult(("rows",), [], is_cut=True)


@pytest.mark.parametrize(
    "question",
    [
        "WITH a AS (SELECT 1) TABLE a",
        "VALUES (1)",
        "EXPLAIN SELECT 1",
        "SHOW server_version",
        "/* 50 % */ SELECT '%s'",
    ],
)
def test_whatever_gives_rows_may_be_asked(filled, question):
    assert len(run_query(filled, question).rows) == 1


@pytest.mark.parametrize("table", READER_TABLES)
def test_the_tables_may_be_read(filled, table):
    assert run_query(filled, f"SELECT * FROM {table}").columns


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("DELETE FROM bi_ingested_file_days", ONE_STATEMENT),
        ("WITH d AS (DELETE FROM bi_ingested_file_days RETURNING *) SELECT * FROM d", READ_ONLY),
        ("EXPLAIN ANALYZE DELETE FROM bi_ingested_file_days", f"{READ_ONLY}|{DENIED}"),
        ("SELECT 1; DELETE FROM bi_ingested_file_days", ONE_STATEMENT),
        ("RESET ROLE; DELETE FROM bi_ingested_file_days", ONE_STATEMENT),
        ("COMMIT; DELETE FROM bi_ingested_file_days", ONE_STATEMENT),
        ("ROLLBACK", ONE_STATEMENT),
        ("SET ROLE postgres", ONE_STATEMENT),
        ("SET SESSION AUTHORIZATION DEFAULT", ONE_STATEMENT),
        ("SELECT set_config('session_authorization', 'pg_read_all_data', false)", DENIED),
        ("SELECT set_config('transaction_read_only', 'off', true)", "read-write mode"),
        ("COPY bi_reports TO PROGRAM 'cat'", ONE_STATEMENT),
        ("COPY (SELECT 1) TO STDOUT", ONE_STATEMENT),
        ("SELECT * INTO mine FROM bi_reports", ONE_STATEMENT),
        ("CREATE TEMP TABLE mine AS SELECT 1", ONE_STATEMENT),
        ("DO $$ BEGIN DELETE FROM bi_ingested_file_days; END $$", ONE_STATEMENT),
        ("CALL nothing()", "nothing|" + ONE_STATEMENT),
        ("PREPARE p AS DELETE FROM bi_ingested_file_days", ONE_STATEMENT),
        ("DECLARE c CURSOR FOR SELECT 1", ONE_STATEMENT),
        ("LISTEN run_events", ONE_STATEMENT),
        ("SELECT * FROM bi_identities", DENIED),
        ("SELECT query_to_xml('SELECT * FROM bi_identities', true, true, '')", DENIED),
        ("SELECT pg_read_file('/etc/passwd')", DENIED),
        ("SELECT lo_from_bytea(0, 'planted')", READ_ONLY),
        ("SELECT nextval('bi_file_number')", DENIED),
        ("SELECT 1 FROM bi_ingested_file_days FOR UPDATE", f"{READ_ONLY}|{DENIED}"),
        ("", ONE_STATEMENT),
        ("-- nothing", ONE_STATEMENT),
        ("SELECT nonsense", 'PostgreSQL: column "nonsense" does not exist'),
        ("SELECT 1 FROM", "PostgreSQL: syntax error at end of input"),
        ("SELECT rowz FROM bi_ingested_file_days", 'Perhaps you meant to reference the column ".*rows"'),
        ("SELECT '\0'", "NUL"),
        ("SELECT date '20000-01-01'", "cannot be shown"),
    ],
)
def test_what_is_wrong_or_would_write_is_refused(filled, question, complaint):
    with pytest.raises(UsageError, match=complaint):
        run_query(filled, question)


@pytest.mark.parametrize("role", ["none", "pg_read_all_data"])
def test_laying_down_the_role_inside_a_query_gains_nothing(filled, role):
    # set_config runs first; query_to_xml then asks with whatever rights there are.
    question = (
        f"WITH free AS MATERIALIZED (SELECT set_config('role', '{role}', false))"
        " SELECT query_to_xml('SELECT * FROM bi_identities', true, true, '') FROM free"
    )
    with pytest.raises(UsageError, match=DENIED):
        run_query(filled, question)


def test_a_slow_question_is_given_up(filled):
    with pytest.raises(UsageError, match=r"took longer than 0\.1 s"):
        run_query(filled, "SELECT pg_sleep(30)", seconds=0.1)


def test_many_may_ask_at_once(filled):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: run_query(filled, f"SELECT {number}").rows, range(8)))
    assert answers == [[(number,)] for number in range(8)]


def test_the_login_can_only_read_and_is_gone_afterwards(filled):
    ((login, is_member, may_more),) = run_query(
        filled,
        f"SELECT session_user, pg_has_role('{READER_ROLE}', 'usage'), rolsuper OR rolcreaterole OR"
        " rolcreatedb FROM pg_roles WHERE rolname = session_user",
    ).rows
    assert (is_member, may_more) == (True, False)
    assert not is_there(filled, login)
    with pytest.raises(UsageError):
        run_query(filled, "SELECT 1 / 0")


def test_a_login_whose_process_was_killed_is_swept(filled):
    login = "healthmate_sql_killed"
    with filled.transaction() as connection:
        connection.execute(text(f"DROP ROLE IF EXISTS {login}"))
        connection.execute(text(f"CREATE ROLE {login} LOGIN IN ROLE {READER_ROLE} VALID UNTIL '2020-01-01'"))
    run_query(filled, "SELECT 1")
    assert not is_there(filled, login)


def test_a_server_that_lets_nobody_make_roles_still_takes_everything_else(limited_user, filled):
    settings = Settings(database_url=limited_user.render_as_string(hide_password=False))
    with Warehouse.open(settings) as warehouse:
        with warehouse.transaction() as connection:
            assert connection.scalar(text("SELECT count(*) FROM bi_reports")) == 0
        with pytest.raises(
            UsageError, match="Ask an administrator for: CREATE ROLE healthmate_reader"
        ) as caught:
            run_query(warehouse, "SELECT 1")
    assert str(limited_user.password) not in str(caught.value)


def test_rights_to_read_are_given_also_where_no_login_may_be_made(limited_user, filled):
    asked = {"role": READER_ROLE, "table": "bi_reports"}
    may_read = text("SELECT has_table_privilege(:role, :table, 'SELECT')")
    with Warehouse.open(
        Settings(database_url=limited_user.render_as_string(hide_password=False))
    ) as warehouse:
        with warehouse.transaction() as connection:  # as if an administrator had made the role only now
            connection.execute(text(f"REVOKE SELECT ON bi_reports FROM {READER_ROLE}"))
            assert not connection.scalar(may_read, asked)
        with pytest.raises(UsageError, match="Ask an administrator"):
            run_query(warehouse, "SELECT 1")
        with warehouse.transaction() as connection:
            assert connection.scalar(may_read, asked)


def test_what_the_administrator_is_asked_for_is_enough(limited_user, server_url, filled):
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'ALTER ROLE "{limited_user.username}" CREATEROLE'))
        connection.execute(text(f'GRANT {READER_ROLE} TO "{limited_user.username}" WITH ADMIN OPTION'))
    admin.dispose()
    with Warehouse.open(
        Settings(database_url=limited_user.render_as_string(hide_password=False))
    ) as warehouse:
        assert run_query(warehouse, "SELECT count(*) FROM bi_reports").rows == [(0,)]
        with pytest.raises(UsageError, match=DENIED):
            run_query(warehouse, "SELECT * FROM bi_identities")
