import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.embedded import EmbeddedServer, release_server, running_server
from healthmate_bi_pipeline.warehouse.server import dagster_database_url, database_url
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse
from healthmate_bi_pipeline_tests.warehouse.processes import OtherProcess, server_processes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there the wheel starts the server itself")

USE = """
with Warehouse.open(Settings(home=Path(sys.argv[1]))) as warehouse:
    with warehouse.transaction() as connection:
        say(connection.scalar(text("SELECT count(*) FROM bi_aggregated_health_metrics")))
    wait()
"""


@pytest.fixture
def server_folder(server_url: URL) -> Path:
    """The folder of the session's server."""
    if server_url.host:
        pytest.skip("the tests run on a server of somebody else's")
    return Path(str(server_url.query["host"])).parent


def answers(folder: Path) -> bool:
    address = running_server(folder)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{address.host}/.s.PGSQL.{address.port}")
    return True


@pytest.mark.slow
def test_processes_that_open_a_fresh_home_at_once_share_one_server_which_ends_with_the_last(embedded_home):
    users = [OtherProcess(USE, embedded_home) for _ in range(3)]
    assert [user.hear() for user in users] == ["0", "0", "0"]
    folder = embedded_home / "postgres"
    assert len(server_processes(folder)) == 1
    assert [user.end() for user in users[:2]] == ["", ""]
    assert len(server_processes(folder)) == 1
    users[2].end()
    assert server_processes(folder) == []


@pytest.mark.slow
def test_a_killed_user_does_not_keep_the_server_running(embedded_home):
    killed, other = OtherProcess(USE, embedded_home), OtherProcess(USE, embedded_home)
    killed.hear(), other.hear()
    killed.kill()
    folder = embedded_home / "postgres"
    assert len(server_processes(folder)) == 1  # the other one still uses it
    other.end()
    assert server_processes(folder) == []


@pytest.mark.slow
def test_a_killed_server_comes_back_with_what_was_committed(embedded_home):
    settings = Settings(home=embedded_home)
    with Warehouse.open(settings) as warehouse:
        with warehouse.transaction() as connection:
            connection.execute(text("CREATE TABLE kept AS SELECT 1 AS value"))
        (server,) = server_processes(settings.postgres_path)
        server.kill()
        while server_processes(settings.postgres_path):
            time.sleep(0.01)
        with Warehouse.open(settings) as again, again.transaction() as connection:
            assert connection.scalar(text("SELECT value FROM kept")) == 1
        with warehouse.transaction() as connection:  # its pool finds out by itself
            assert connection.scalar(text("SELECT value FROM kept")) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [os.getpid(), 2**22 + 1], ids=["a number that is another process's now", "a dead number"]
)
def test_a_stale_process_number_is_not_taken_for_the_server(embedded_home, number):
    folder = embedded_home / "postgres"
    assert answers(folder)
    release_server(folder)
    assert server_processes(folder) == []
    lines = [number, folder / "data", 1, 5432, folder / "data", "", "1 2", "ready"]
    (folder / "data" / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")
    assert answers(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["with some spaces", "x" * 120, "one,two", "'q' \"$HOME\" `id`"],
    ids=["spaces", "long", "list", "shell"],
)
def test_any_path_will_do(embedded_home, name):
    settings = Settings(home=embedded_home / name)
    for url in (database_url(settings), dagster_database_url(settings)):
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_database()")) == url.database
        engine.dispose()
    socket_folder = Path(running_server(settings.postgres_path).host)
    assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700  # everybody who gets in is let in
    release_server(settings.postgres_path)
    assert server_processes(settings.postgres_path) == []
    assert socket_folder == settings.postgres_path / "data" or not socket_folder.exists()


@pytest.mark.slow
def test_a_home_that_is_deleted_while_it_is_used_can_be_made_anew(embedded_home):
    settings = Settings(home=embedded_home)
    user = OtherProcess(USE, embedded_home)
    user.hear()
    subprocess.run(["rm", "-rf", str(embedded_home)], check=True)
    with Warehouse.open(settings) as warehouse:
        user.end()  # must not stop the new server, whose folder has the same name
        with warehouse.transaction() as connection:
            assert connection.scalar(text("SELECT count(*) FROM bi_reports")) == 0
    assert len(server_processes(settings.postgres_path)) == 1


@pytest.mark.slow
def test_a_cluster_that_was_half_made_is_made_again(embedded_home):
    data = embedded_home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "base").mkdir()
    assert answers(embedded_home / "postgres")


def test_data_of_another_version_are_left_alone(embedded_home):
    data = embedded_home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(UsageError, match=r"made by PostgreSQL 16, and this release runs 18\. Upgrade it"):
        running_server(embedded_home / "postgres")
    assert (data / "PG_VERSION").read_text() == "16\n"


def test_threads_of_a_process_start_one_server(server_folder):
    folder = server_folder
    found: list[object] = []
    server = EmbeddedServer(folder)
    threads = [threading.Thread(target=lambda: found.append(server.start())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.leave()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(server_processes(folder)) == 1


def test_the_servers_log_holds_no_values(server_folder, warehouse):
    with warehouse.engine.connect() as connection:
        connection.execute(text("CREATE TEMP TABLE people (user_id bigint PRIMARY KEY, name text NOT NULL)"))
        for statement in (
            "INSERT INTO people VALUES (778899, 'sown here'), (778899, 'sown here')",
            "INSERT INTO people VALUES (778899, NULL)",
            "SELECT 'sown here' FROM nowhere",
        ):
            with pytest.raises(DBAPIError), connection.begin_nested():
                connection.execute(text(statement))
    log = (server_folder / "server.log").read_text()
    assert "duplicate key" in log
    assert "778899" not in log
    assert "sown here" not in log  # a word of its own: others write to this log too
