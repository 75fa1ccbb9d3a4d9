from pathlib import Path

import psutil

from healthmate_bi_pipeline.lake.memory import MOST_BYTES, default_memory_limit, machine_memory


def test_a_containers_limit_counts_where_it_is_lower(tmp_path: Path) -> None:
    total = psutil.virtual_memory().total
    lower, higher, none = (tmp_path / name for name in ("lower", "higher", "none"))
    lower.write_text("1000000000\n")
    higher.write_text(f"{total * 2}\n")
    none.write_text("max\n")
    assert machine_memory((lower, none)) == 1_000_000_000
    assert machine_memory((higher, none, tmp_path / "missing")) == total


def test_the_limit_is_a_share_of_it_and_never_more_than_is_of_use() -> None:
    megabytes = int(default_memory_limit().removesuffix("MB"))
    assert megabytes == min(machine_memory() // 4, MOST_BYTES) // 1_000_000
