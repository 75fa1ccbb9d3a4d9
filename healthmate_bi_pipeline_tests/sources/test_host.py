"""The collector, run for real: it samples this host, is stopped as services are, and loses no sample."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from healthmate_bi_pipeline.catalog.datasets import HOST_SAMPLES
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.sources.host import HostPlace, collect_once, finish_left_behind

PLACE = HostPlace("api", "test", "host/1")


def samples(files: list[Path]) -> list[dict[str, object]]:
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_one_sample_is_what_the_host_shows(tmp_path: Path) -> None:
    collected = collect_once(tmp_path, PLACE, disk=tmp_path, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    (sample,) = samples(list(collected.files))
    assert sample["sampled_at"] == "2026-03-01T12:00:00.000+00:00"
    assert (sample["service"], sample["environment"], sample["instance_id"]) == ("api", "test", "host/1")
    assert sample["memory_percent"] == pytest.approx(psutil.virtual_memory().percent, abs=10)
    assert sample["disk_percent"] == pytest.approx(psutil.disk_usage(str(tmp_path)).percent, abs=5)
    assert 0 <= float(str(sample["cpu_percent"])) <= 100
    found = landing.find_files(tmp_path, HOST_SAMPLES)
    assert [file.path for file in found] == list(collected.files)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_collector_that_is_stopped_has_written_all_its_samples(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _collector(tmp_path) as process:
        files = _wait_for_files(tmp_path, 2)
        assert not [file for file in files if file.name.endswith(".part")]
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    folder = tmp_path / "landing" / "host_samples"
    assert not list(folder.glob("*.part"))
    found = samples(sorted(folder.iterdir()))
    assert out.startswith(f"{len(found)} samples in {len(list(folder.iterdir()))} files")
    times = [str(sample["sampled_at"]) for sample in found]
    assert times == sorted(set(times))


@pytest.mark.slow
def test_what_a_killed_collector_left_behind_is_finished_by_the_next(tmp_path: Path) -> None:
    with _collector(tmp_path, per_file="600") as process:
        folder = tmp_path / "landing" / "host_samples"
        deadline = time.monotonic() + 60
        while not [part for part in folder.glob("*.part") if part.read_text().count("\n") >= 2]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
        process.wait()
    (part,) = folder.glob("*.part")
    assert landing.find_files(tmp_path / "landing", HOST_SAMPLES) == []
    (finished,) = finish_left_behind(tmp_path / "landing")
    assert len(samples([finished])) >= 2
    assert not part.exists()


def _collector(folder: Path, *, per_file: str = "0.5") -> subprocess.Popen[str]:
    script = "from healthmate_bi_pipeline.cli.main import main; main()"
    command = [sys.executable, "-c", script, "collect", "--every", "0.1", "--per-file", per_file]
    environment = {**os.environ, "HEALTHMATE_HOME": str(folder)}
    return subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)


def _wait_for_files(folder: Path, count: int) -> list[Path]:
    deadline = time.monotonic() + 60
    while True:
        files = [file.path for file in landing.find_files(folder / "landing", HOST_SAMPLES)]
        if len(files) >= count:
            return files
        assert time.monotonic() < deadline
        time.sleep(0.05)
