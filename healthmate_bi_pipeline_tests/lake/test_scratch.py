"""Scratch folders: gone with their engine, and swept when their process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from healthmate_bi_pipeline.lake import scratch
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.lake.scratch import ScratchFolder, sweep
from healthmate_bi_pipeline.settings import EngineSettings

SPILL_AND_BE_KILLED = """
import os, signal, sys
from pathlib import Path
import ibis
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
engine = Engine(EngineSettings(memory_limit="60MB", threads=2), scratch=Path(sys.argv[1]))
numbers = ibis.range(4_000_000).unnest().name("x").as_table()
engine.store(numbers.mutate(y=numbers.x.hash(), z=numbers.x.cast(str).hash()))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_spilled_goes_when_the_next_one_begins(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", SPILL_AND_BE_KILLED, str(tmp_path)], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in left) > 10_000_000
    with Engine(EngineSettings(), scratch=tmp_path) as engine:
        assert list(tmp_path.iterdir()) == [engine.scratch]
    assert list(tmp_path.iterdir()) == []


def test_the_folders_of_the_living_stay(tmp_path: Path) -> None:
    first, second = ScratchFolder(tmp_path), ScratchFolder(tmp_path)
    assert sweep(tmp_path) == 0
    assert first.path.exists()
    assert second.path.exists()
    first.close()
    assert list(tmp_path.iterdir()) == [second.path]
    second.close()


def test_a_folder_without_its_lock_is_somebodys_who_begins_or_was_killed_while_doing_so(
    tmp_path: Path,
) -> None:
    folder = tmp_path / f"{scratch.PREFIX}x"
    folder.mkdir()
    (tmp_path / "something else").mkdir()
    assert sweep(tmp_path) == 0
    os.utime(folder, (0, 0))
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["something else"]
