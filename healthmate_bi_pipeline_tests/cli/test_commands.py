"""How commands are called, and how they fail."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from healthmate_bi_pipeline import __version__
from healthmate_bi_pipeline.cli import main as cli
from healthmate_bi_pipeline.settings import Settings


class Said(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the command line in this process, with the home and the database of the test."""
    assert settings.database_url is not None
    monkeypatch.setenv("HEALTHMATE_HOME", str(settings.home_path))
    monkeypatch.setenv("HEALTHMATE_DATABASE_URL", settings.database_url.get_secret_value())
    for name in (
        "DAGSTER_HOME",
        "DAGSTER_EVENT_BATCH_SIZE",
        "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS",
    ):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["healthmate-bi", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return run


def _commands() -> list[list[str]]:
    return [
        ["demo"], ["import", "fitbit"], ["import", "access-log"], ["collect"], ["validate"], ["run"], ["requeue"], ["report"], ["retention"], ["vacuum"], ["ui"], ["sql"], ["status"], ["alerts"],
        ["version"],
    ]  # fmt: skip


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_tells_what_it_does_with_an_example(call: Call, command: list[str]) -> None:
    said = call(*command, "--help")
    assert said.code == 0
    assert re.search(r"Examples?:\n\s+healthmate-bi " + " ".join(command), said.out)
    options = re.findall(r"^\s+(--[a-z-]+)(.*)$", said.out, re.MULTILINE)
    assert all(text.strip() for _, text in options)


def test_the_list_of_commands_is_complete(call: Call) -> None:
    listed = re.findall(r"^  ([a-z]+)  ", call("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert sorted(listed) == sorted({command[0] for command in _commands()})


def test_asking_for_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, healthmate_bi_pipeline.cli.main;"
        "print([name for name in ('dagster', 'ibis', 'duckdb', 'pyarrow', 'pandas', 'sqlalchemy', 'numpy')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_version(call: Call) -> None:
    assert call("version") == Said(0, f"healthmate-bi {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["run", "--from", "yesterday"], "'yesterday' is no day"),
        (["run", "--from", "2026-02-30"], "'2026-02-30' is no day"),
        (["run", "--from", "2026-02-02", "--to", "2026-02-01"], "lies before the first"),
        (["demo", "--people", "0"], "--people"),
        (["demo", "--from", "2999-01-01"], "lies before the first"),
        (["report", "nothing", "--from", "2026-01-01", "--to", "2026-01-01"], "is no report. There are: health_summary"),
        (["report", "health_summary"], "--from"),
        (["sql", "SELECT 1", "--format", "xml"], "xml"),
        (["validate"], "Missing argument"),
        (["validate", "/no/such/file.csv"], "does not exist"),
        (["import", "fitbit", "somewhere"], "--timezone"),
        (["ui", "--port", "99999"], "--port"),
    ],
)  # fmt: skip
def test_wrong_arguments_exit_with_2(call: Call, arguments: list[str], text: str) -> None:
    said = call(*arguments)
    assert said.code == 2
    assert text in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["import", "fitbit", "/no/such/folder", "--timezone", "UTC"], "is no folder"),
        (["import", "fitbit", ".", "--timezone", "Mars/Base"], "no time zone 'Mars/Base'"),
        (["run", "--select", "nothing"], "no asset is called so"),
        (["report", "health_summary", "--from", "2026-01-01", "--to", "2026-01-31"], "no data in 2026-01-01"),
        (["validate", __file__, "--dataset", "nothing"], "There is no dataset nothing"),
        (["requeue", "nothing"], "There is no dataset nothing"),
        (["requeue", "--rule", "nothing"], "There is no rule nothing"),
        (["sql", "SELECT nothing FROM nowhere"], "nowhere"),
        (["sql", "DELETE FROM bi_reports"], "gives rows"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exits_with_1(
    call: Call, arguments: list[str], text: str
) -> None:
    said = call(*arguments)
    assert said.code == 1
    assert text in said.err
    assert said.err.startswith("healthmate-bi: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_a_wrong_setting_is_named_without_its_value(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHMATE_ENGINE__THREADS", "many-secrets")
    said = call("status")
    assert said.code == 1
    assert "engine.threads" in said.err
    assert "many-secrets" not in said.err


@pytest.mark.parametrize("command", [["run"], ["status"], ["demo"]], ids=" ".join)
def test_a_home_that_cannot_be_made_is_named(
    call: Call, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEALTHMATE_HOME", str(tmp_path / "file" / "home"))
    said = call(*command)
    assert said.code == 1
    assert said.err.startswith(f"healthmate-bi: The home {tmp_path / 'file' / 'home'} cannot be made")
    assert "HEALTHMATE_HOME" in said.err


def test_an_unexpected_error_keeps_its_text_to_itself(
    call: Call, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the patient's name")

    monkeypatch.setattr("healthmate_bi_pipeline.settings.load_settings", fails)
    said = call("status")
    assert said.code == 1
    assert "Unexpected RuntimeError at cli/" in said.err
    assert "the patient's name" not in said.err

    monkeypatch.setenv("HEALTHMATE_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["healthmate-bi", "status"])
    with pytest.raises(RuntimeError, match="the patient's name"):
        cli.main()


def test_ctrl_c_is_quiet(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("healthmate_bi_pipeline.settings.load_settings", interrupted)
    assert call("status") == Said(130, "", "")


_ROWS = "SELECT 1 AS one, NULL AS nothing, 1.50 AS half, DATE '2026-01-31' AS day, ARRAY['a','b'] AS list, 'ä, \"b\"' AS word"


def test_answers_as_a_table(call: Call) -> None:
    said = call("sql", "SELECT * FROM (VALUES (1, 'one'), (22, 'twenty-two')) v(number, word) ORDER BY 1")
    assert said.out == (
        "number  word\n------  ----------\n     1  one\n    22  twenty-two\n(2 rows)\n"
    )  # fmt: skip


def test_answers_as_csv(call: Call) -> None:
    rows = list(csv.reader(io.StringIO(call("sql", _ROWS, "--format", "csv").out)))
    assert rows == [
        ["one", "nothing", "half", "day", "list", "word"],
        ["1", "", "1.50", "2026-01-31", '["a", "b"]', 'ä, "b"'],
    ]


def test_answers_as_json(call: Call) -> None:
    assert json.loads(call("sql", _ROWS, "--format", "json").out) == [
        {"one": 1, "nothing": None, "half": 1.5, "day": "2026-01-31", "list": ["a", "b"], "word": 'ä, "b"'}
    ]


def test_a_long_table_is_cut_and_says_so(call: Call) -> None:
    said = call("sql", "SELECT generate_series(1, 2000) AS n")
    assert said.out.endswith("(1000 rows)\n")
    assert "--format csv" in said.err
    assert call("sql", "SELECT generate_series(1, 2000) AS n", "--format", "csv").out.count("\n") == 2001


def test_questions_are_noted_without_their_text(call: Call) -> None:
    call("sql", "SELECT 'a secret of somebody'")
    log = json.loads(call("sql", "SELECT action, outcome, rows, detail FROM bi_audit_log ORDER BY id", "--format", "json").out)  # fmt: skip
    assert [(entry["action"], entry["outcome"], entry["rows"]) for entry in log] == [("sql", "done", 1)]
    assert list(log[0]["detail"]) == ["sha256"]


def test_status_before_anything_has_come(call: Call, settings: Settings) -> None:
    said = call("status")
    assert said.code == 0
    assert "none yet" in said.out
    for place in (settings.landing_path, settings.lake_uri, settings.reports_path, settings.dagster_path):
        assert str(place) in said.out


def test_status_does_not_show_a_password(
    call: Call, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    secret = re.sub(r"//([^@/:]*)(:[^@/]*)?@", r"//\1:pass-of-mine@", url)
    assert secret != url
    monkeypatch.setenv("HEALTHMATE_DATABASE_URL", secret)
    said = call("status")
    assert said.code == 0
    assert "pass-of-mine" not in said.out
    assert "***" in said.out


def test_the_demo_says_what_it_made(call: Call, settings: Settings) -> None:
    said = call("demo", "--people", "2", "--from", "2026-01-01", "--to", "2026-01-07", "--seed", "1")
    assert said.code == 0
    assert said.out.startswith("2 people, 2026-01-01 to 2026-01-07: ")
    assert any(settings.landing_path.rglob("*.parquet"))
    files = {path: path.read_bytes() for path in settings.landing_path.rglob("*") if path.is_file()}
    call("demo", "--people", "2", "--from", "2026-01-01", "--to", "2026-01-07", "--seed", "1")
    assert {path: path.read_bytes() for path in settings.landing_path.rglob("*") if path.is_file()} == files


def test_the_demo_ends_yesterday_by_itself(call: Call) -> None:
    said = call("demo", "--people", "1")
    yesterday = datetime.now(UTC).date().toordinal() - 1
    last = re.search(r"to (\d{4}-\d\d-\d\d)", said.out)
    assert last is not None
    assert datetime.fromisoformat(last[1]).date().toordinal() == yesterday


def test_a_dry_run_tells_files_and_makes_nothing(call: Call, settings: Settings) -> None:
    call("demo", "--people", "2", "--from", "2026-01-01", "--to", "2026-01-07")
    said = call("run", "--dry-run")
    assert said.code == 0
    assert "staged/users: 1 new files" in said.out
    assert not list(settings.home_path.rglob("_delta_log"))
    said = call("run", "--dry-run", "--from", datetime.now(UTC).date().isoformat(), "--select", "state")
    assert "state/health_days: 1 partitions" in said.out


_READINGS = "user_id,metric,value,unit,recorded_at,source\n1,heart_rate,60,bpm,2026-03-01T10:00:00Z,watch\n"
_SWAPPED = (
    "1,blood_pressure_systolic,80,mmHg,2026-03-01T10:00:00Z,cuff\n"
    "1,blood_pressure_diastolic,120,mmHg,2026-03-01T10:00:00Z,cuff\n"
)


def test_validate_ends_with_1_when_a_row_would_be_set_aside(call: Call, tmp_path: Path) -> None:
    good, bad = tmp_path / "health_readings_good.csv", tmp_path / "health_readings_bad.csv"
    good.write_text(_READINGS)
    bad.write_text(_READINGS + _SWAPPED)
    note = (
        "  note: It has none of the optional columns reading_id, context, utc_offset_minutes, updated_at, is_deleted,"
        " origin.\n"
    )
    assert call("validate", str(good)) == Said(
        0, f"{good}: health_readings: 1 lines, 1 rows, 1 good\n{note}", ""
    )
    said = call("validate", str(good), str(bad))
    assert said.code == 1
    assert said.out.splitlines()[2] == f"{bad}: health_readings: 3 lines, 3 rows, 1 good"
    assert (
        "  health_readings/health_readings_bad.csv: record 2 and 1 more: suspected_swap:value: " in said.out
    )


@pytest.mark.slow
def test_a_run_takes_what_it_can_and_ends_with_3_while_a_file_cannot_be_used(
    call: Call, settings: Settings
) -> None:
    folder = settings.landing_path / "health_readings"
    folder.mkdir(parents=True)
    (folder / "good.csv").write_text(_READINGS)
    bad = folder / "bad.csv"
    bad.write_text("user_id,value\n1,60\n")
    for new_rows in (1, 0):  # and again, as long as it lies there
        said = call("run", "--select", "staged", "--select", "raw")
        assert said.code == 3
        assert f"{new_rows} new rows taken in" in said.out
        *_, last = said.err.splitlines()
        assert last == "1 file was refused and stays in the landing folder; the lines above say why."
        assert "health_readings/bad.csv: missing_column: " in said.err
    assert bad.exists()
    bad.unlink()
    assert call("run", "--select", "staged", "--select", "raw").code == 0


@pytest.mark.slow
def test_requeue_takes_rows_up_after_a_setting_changed(
    call: Call, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = settings.landing_path / "health_readings"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(
        _READINGS + _SWAPPED + _SWAPPED.replace("80", "1").replace("Z,cuff", "Z,arm")
    )
    assert call("requeue").out == "There are no such rows in quarantine.\n"
    assert call("run").code == 0
    (folder / "b.csv").write_text(_READINGS.replace("watch", "phone"))
    said = call("requeue", "--rule", "suspected_swap")
    assert said.out == "health_readings: 0 rows taken up, 2 stay: suspected_swap:value 2\n"
    monkeypatch.setenv("HEALTHMATE_PLAUSIBILITY__REPAIR_SLIPS", "true")
    said = call("requeue")
    assert said.code == 0
    assert said.out == "health_readings: 2 rows taken up, 1 stay: impossible_value:value 1\n"
    assert "staged/" not in said.err  # new files are left alone
    pressures = json.loads(call(
        "sql", "SELECT avg_blood_pressure_systolic AS high, avg_blood_pressure_diastolic AS low"
        " FROM bi_aggregated_health_metrics WHERE aggregation_period = 'yearly'", "--format", "json",
    ).out)  # fmt: skip
    assert pressures == [{"high": 120, "low": 80}]
    assert call("requeue", "health_readings", "--rule", "suspected_swap").out == (
        "There are no such rows in quarantine.\n"
    )
