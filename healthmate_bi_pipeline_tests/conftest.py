"""What every test may ask for: a scrubbed environment, settings, and a warehouse on a real PostgreSQL.

One embedded server serves the whole session, all workers of xdist included; a worker migrates one database
and every test gets a copy of it. ``HEALTHMATE_TEST_DATABASE_URL`` (a user that may create databases) runs the
same tests on another server.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.warehouse.embedded import SUPERUSER, release_server, running_server
from healthmate_bi_pipeline.warehouse.migration import migrate
from healthmate_bi_pipeline.warehouse.server import DAGSTER_SUFFIX, DRIVER
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse

# How long an example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

TEST_DATABASE_URL = os.environ.get("HEALTHMATE_TEST_DATABASE_URL")
SESSION_FOLDER = "PYTEST_HEALTHMATE_FOLDER"  # the controller's word to its workers


def pytest_configure(config: pytest.Config) -> None:
    """The controller makes the folder that its workers share the server in."""
    if not hasattr(config, "workerinput"):
        # Not below pytest's own: that is closed to others, also to the user whom a root's server runs as.
        os.environ[SESSION_FOLDER] = tempfile.mkdtemp(prefix="healthmate-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The controller removes it when the last worker has stopped the server."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SESSION_FOLDER), ignore_errors=True)


@pytest.fixture(autouse=True)
def _scrubbed_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the person who runs the tests reaches them: neither environment nor healthmate.toml."""
    for name in list(os.environ):
        if name.startswith(("HEALTHMATE_", "DAGSTER_", "PG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def server_url() -> Iterator[URL]:
    """The session's server, at a database that may be connected to while others are made."""
    if TEST_DATABASE_URL:
        yield make_url(TEST_DATABASE_URL).set(drivername=DRIVER)
        return
    folder = Path(os.environ[SESSION_FOLDER]) / "postgres"
    address = running_server(folder)
    url = URL.create(
        DRIVER,
        username=SUPERUSER,
        database="postgres",
        query={"host": address.host, "port": str(address.port)},
    )
    # What the tests write need not survive a power cut.
    _execute(
        url,
        *(f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")),
    )
    _execute(url, "SELECT pg_reload_conf()")
    yield url
    release_server(folder)


@pytest.fixture(scope="session")
def new_database(server_url: URL) -> Iterator[Callable[[], URL]]:
    """Makes an empty database whenever called; all are dropped at the end of the session."""
    prefix = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{secrets.token_hex(3)}"
    made: list[str] = []
    numbers = itertools.count(1)

    def make(template: URL | None = None) -> URL:
        name = f"{prefix}_{next(numbers)}"
        made.append(name)
        _execute(
            server_url, f"CREATE DATABASE {name} TEMPLATE {template.database if template else 'template0'}"
        )
        return server_url.set(database=name)

    yield make
    if TEST_DATABASE_URL:
        for name in made:
            _drop(server_url, name)


@pytest.fixture(scope="session")
def _migrated_template(new_database: Callable[[], URL]) -> URL:
    url = new_database()
    engine = create_engine(url, poolclass=NullPool)
    migrate(engine)
    return url


@pytest.fixture
def database_url(
    server_url: URL, new_database: Callable[[URL], URL], _migrated_template: URL
) -> Iterator[URL]:
    """A migrated database of the test's own."""
    url = new_database(_migrated_template)
    yield url
    _drop(server_url, str(url.database))


@pytest.fixture
def settings(database_url: URL, tmp_path: Path) -> Settings:
    """Settings with a home and a migrated database of the test's own."""
    return Settings(home=tmp_path / "home", database_url=database_url.render_as_string(hide_password=False))


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    """An open, empty warehouse."""
    with Warehouse.open(settings) as opened:
        yield opened


@pytest.fixture
def embedded_home() -> Iterator[Path]:
    """A home for a test that starts an embedded server of its own; below no folder of pytest, see above."""
    folder = Path(tempfile.mkdtemp(prefix="healthmate-home-"))
    yield folder / "home"
    release_server(folder / "home" / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def limited_user(server_url: URL, new_database: Callable[[], URL]) -> Iterator[URL]:
    """A user who owns an empty database and may do nothing else, as on a server of somebody else's."""
    url = new_database()
    name, password = f"{url.database}_user", secrets.token_hex(8)
    _execute(
        server_url,
        f"CREATE ROLE {name} LOGIN PASSWORD '{password}'",
        f"ALTER DATABASE {url.database} OWNER TO {name}",
    )
    yield url.set(username=name, password=password)
    _drop(server_url, str(url.database))
    _execute(server_url, f"DROP ROLE {name}")


def _drop(server: URL, name: str) -> None:
    _execute(
        server, *(f"DROP DATABASE IF EXISTS {name}{suffix} WITH (FORCE)" for suffix in ("", DAGSTER_SUFFIX))
    )


def _execute(url: URL, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def new_settings(
    new_database: Callable[..., URL], _migrated_template: URL, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Settings]:
    """Makes settings with a home and a database of their own."""

    def make() -> Settings:
        url = new_database(_migrated_template).render_as_string(hide_password=False)
        return Settings(home=tmp_path_factory.mktemp("own") / "home", database_url=url)

    return make
