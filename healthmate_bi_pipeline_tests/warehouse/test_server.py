import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, inspect, make_url, text

from healthmate_bi_pipeline.errors import TransientError, UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.server import dagster_database_url, database_url
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse, make_engine
from healthmate_bi_pipeline_tests.warehouse.processes import OtherProcess


def settings_of(url: object) -> Settings:
    return Settings(database_url=url if isinstance(url, str) else url.render_as_string(hide_password=False))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_the_driver_is_always_named(scheme):
    url = database_url(settings_of(f"{scheme}://ann:secret@db.example:5433/health?sslmode=require"))
    expected = "postgresql+psycopg2://ann:secret@db.example:5433/health?sslmode=require"
    assert url.render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("mysql://ann:hunter2@db/health", "only PostgreSQL will do"),
        ("postgresql://ann:hunter2@db", "names no database"),
        ("ann:hunter2 at db", "is no URL"),
    ],
)
def test_an_address_that_will_not_do_is_refused_without_its_password(address, complaint):
    with pytest.raises(UsageError, match=complaint) as caught:
        database_url(settings_of(address))
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_may_come_back():
    with pytest.raises(TransientError, match=r"PostgreSQL on 127\.0\.0\.1 does not answer") as caught:
        Warehouse.open(settings_of("postgresql://ann:hunter2@127.0.0.1:1/health"))
    assert "hunter2" not in str(caught.value)


def test_a_database_that_is_missing_is_named_with_its_remedy(server_url):
    with pytest.raises(UsageError, match='CREATE DATABASE "nowhere"'):
        Warehouse.open(settings_of(server_url.set(database="nowhere")))


def test_dagsters_database_is_made_beside_the_warehouses_by_whoever_is_first(settings, database_url):
    with ThreadPoolExecutor(6) as pool:
        urls = set(pool.map(dagster_database_url, [settings] * 6))
    (url,) = urls
    assert url == database_url.set(database=f"{database_url.database}_dagster")
    engine = create_engine(url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_user_who_may_not_make_databases_is_told_what_to_ask_for(limited_user):
    with pytest.raises(UsageError, match="Ask an administrator for: CREATE DATABASE") as caught:
        dagster_database_url(settings_of(limited_user))
    assert f'"{limited_user.database}_dagster" OWNER "{limited_user.username}"' in str(caught.value)


def test_a_user_who_may_not_make_tables_is_told_what_to_ask_for(limited_user, server_url):
    admin = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {limited_user.database} OWNER TO {server_url.username}"))
    admin.dispose()
    with pytest.raises(UsageError, match="Ask an administrator for: ALTER DATABASE"):
        Warehouse.open(settings_of(limited_user))


def test_a_session_is_in_utc_named_and_shows_no_parameters(database_url):
    engine = make_engine(make_url(database_url).update_query_dict({"options": "-c work_mem=5MB"}))
    with engine.connect() as connection:
        shown = [
            connection.scalar(text(f"SHOW {name}")) for name in ("TimeZone", "work_mem", "application_name")
        ]
    assert shown[:2] == ["UTC", "5MB"]
    assert shown[2].startswith("healthmate-bi ")
    assert engine.hide_parameters
    engine.dispose()


@pytest.mark.skipif(sys.platform == "win32", reason="there the wheel is imported")
def test_the_embedded_server_is_found_without_a_warning(server_url):
    # OtherProcess turns warnings into errors and takes XDG_RUNTIME_DIR away.
    code = "from healthmate_bi_pipeline.warehouse.programs import programs_folder; say(programs_folder())"
    assert OtherProcess(code).end().endswith("bin")
