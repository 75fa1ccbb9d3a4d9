"""The landing folder: which files count, what they are, and what is said of those that cannot be used."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import HEALTH_READINGS, SLEEP_SESSIONS
from healthmate_bi_pipeline.errors import DataError, SchemaError, UnreadableFileError
from healthmate_bi_pipeline.lake.engine import Engine
from healthmate_bi_pipeline.settings import EngineSettings
from healthmate_bi_pipeline.sources import landing
from healthmate_bi_pipeline.sources.landing import Format, OpenedFile

SECRET = "Zaphod"
HEADER = "user_id,metric,value,recorded_at"
CSV = f"{HEADER}\n1,heart_rate,60,2026-03-01 10:00\n2,weight,70.5,2026-03-01\n".encode()
NDJSON = (
    b'{"user_id": 1, "metric": "heart_rate", "value": 60, "recorded_at": "2026-03-01 10:00"}\n'
    b'{"user_id": 2, "metric": "weight", "value": 70.5, "recorded_at": "2026-03-01"}\n'
)
TEXTS = [("1", "heart_rate", "60", "2026-03-01 10:00"), ("2", "weight", "70.5", "2026-03-01")]
LARGE = CSV + b"".join(
    b"%d,heart_rate,%d,2026-03-01\n" % (number, random.Random(number).randrange(300))
    for number in range(20_000)
)


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


PARQUET = parquet(
    pa.table(dict(zip(HEADER.split(","), (list(column) for column in zip(*TEXTS, strict=True)), strict=True)))
)


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "landing" / "health_readings"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(EngineSettings(), scratch=tmp_path_factory.mktemp("scratch")) as engine:
        yield engine


def opened(folder: Path, engine: Engine, name: str, content: bytes) -> OpenedFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (found,) = landing.find_files(folder.parent, HEALTH_READINGS)
    return landing.open_file(found, HEALTH_READINGS, scratch=engine.scratch)


def texts(engine: Engine, file: OpenedFile) -> list[tuple[str | None, ...]]:
    names = HEADER.split(",")
    if file.format is Format.PARQUET:
        rows = engine.parquet_file(file.path)
    elif file.format is Format.CSV:
        columns = [
            file.renamed(HEALTH_READINGS).get(column, f"_{n}") for n, column in enumerate(file.columns)
        ]
        rows = engine.csv_file(file.path, names=columns, delimiter=file.delimiter).rows
    else:
        rows = engine.json_lines_file(file.path, names=names).rows
    return [tuple(row[name] for name in names) for row in engine.rows(rows.order_by("row_number"))]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd], ids=["plain", "gzip", "zstd"])
@pytest.mark.parametrize(("suffix", "content"), [("csv", CSV), ("ndjson", NDJSON), ("parquet", PARQUET)])
def test_every_format_is_read_plain_and_packed(folder, engine, suffix, content, pack):
    ending = {bytes: "", gzip.compress: ".gz", zstd: ".zst"}[pack]
    file = opened(folder, engine, f"a.{suffix}{ending}", pack(content))
    assert texts(engine, file) == TEXTS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", gzip.compress(CSV, mtime=0)),  # what it is packed with is told by its bytes
        ("a.csv.gz", CSV),
        ("a.csv.gz", gzip.compress(CSV[:70], mtime=0) + gzip.compress(CSV[70:], mtime=0)),  # several members, as `cat` makes them
        ("a.csv.zst", zstd(CSV[:70]) + zstd(CSV[70:])),
        ("A.CSV", CSV),
        ("a.txt", CSV),
        ("a.jsonl", NDJSON),
        ("a.csv", CSV.replace(b"\n", b"\r\n")),
        ("a.csv", CSV.replace(b"\n", b"\r")),
        ("a.csv", CSV.rstrip(b"\n")),
        ("a.csv", b"\xef\xbb\xbf" + CSV),
        ("a.ndjson", b"\xef\xbb\xbf" + NDJSON),
        ("a.ndjson", NDJSON.replace(b"\n", b"\r\n")),
        ("a.ndjson", b"\n" + NDJSON.replace(b"\n", b"\n\n")),
        ("a.csv", CSV.replace(b",", b";")),
        ("a.tsv", CSV.replace(b",", b"\t")),
        ("a.csv", CSV.replace(b",", b"|")),
        ("a.csv", CSV.replace(HEADER.encode(), b' User_ID ,METRIC,"Value", Recorded_At')),
        ("a.csv", CSV.replace(b"60", b'"60"')),
        ("a.csv", CSV.replace(b"\n1", b"\r\n1", 1)),  # put together from two systems
        ("deep/er/ä b[1]*.csv", CSV),
        ("user_id=99/metric=weight/a.csv", CSV),  # folders are no columns
    ],
)  # fmt: skip
def test_what_programs_do_to_files_does_not_matter(folder, engine, name, content):
    assert texts(engine, opened(folder, engine, name, content)) == TEXTS


def test_a_name_is_no_pattern(folder, engine):
    (folder / "x").mkdir()
    (folder / "x" / "a1.csv").write_bytes(CSV + b"3,weight,80,2026-03-01\n")
    (folder / "x" / "a[1].csv").write_bytes(CSV)
    found = {file.name: file for file in landing.find_files(folder.parent, HEALTH_READINGS)}
    file = landing.open_file(found["x/a[1].csv"], HEALTH_READINGS, scratch=engine.scratch)
    assert texts(engine, file) == TEXTS


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "it is empty"),
        ("a.parquet", b"", "it is empty"),
        ("a.csv.gz", gzip.compress(LARGE, mtime=0)[:20_000], "damaged or cut off"),
        ("a.csv.gz", gzip.compress(LARGE, mtime=0)[:-4], "damaged or cut off"),
        ("a.csv.gz", gzip.compress(LARGE, mtime=0)[:5_000] + b"XXXX" + gzip.compress(LARGE, mtime=0)[5_004:], "damaged or cut off"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0) + b"garbage", "damaged or cut off"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:6], "damaged or cut off"),
        ("a.csv.zst", zstd(LARGE)[:20_000], "damaged or cut off"),
        ("a.csv.zst", zstd(LARGE)[:-2], "damaged or cut off"),
        ("a.csv.zst", zstd(CSV)[:6], "damaged or cut off"),
        ("a.parquet", PARQUET[:-10], "no Parquet file, or is cut off"),
        ("a.parquet", PARQUET[: len(PARQUET) // 2], "no Parquet file, or is cut off"),
        ("a.parquet", CSV, "no Parquet file, or is cut off"),
        ("a.csv", PARQUET, "a Parquet file with the name of another"),
        ("a.ndjson", PARQUET, "a Parquet file with the name of another"),
        ("a.csv", random.Random(1).randbytes(50_000), "it is no text in UTF-8"),
        ("a.ndjson", random.Random(1).randbytes(50_000), "it is no text in UTF-8"),
        ("a.csv.gz", random.Random(1).randbytes(50_000), "it is no text in UTF-8"),
        ("a.csv", CSV.decode().encode("utf-16"), "it is no text in UTF-8"),
        ("a.csv", b"\xff" + CSV, "the header is not UTF-8"),
        ("a.csv", b"\0" * 200_000, "it is no text in UTF-8"),
        ("a.csv", b"x" * 200_000, "the header is no line of CSV"),
        ("a.xlsx", CSV, "expected .parquet, .csv or .ndjson"),
        ("nosuffix", CSV, "expected .parquet, .csv or .ndjson"),
        ("a.gz", gzip.compress(CSV, mtime=0), "expected .parquet, .csv or .ndjson"),
    ],
)  # fmt: skip
def test_an_unusable_file_is_named_in_one_line(folder, engine, name, content, reason):
    with pytest.raises(UnreadableFileError, match=reason) as caught:
        opened(folder, engine, name, content)
    text = str(caught.value)
    assert text.startswith(f"health_readings/{name}: unreadable_file: ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"user_id,metric,recorded_at\n1,weight,2026-03-01\n", "missing_column: value (found: user_id, metric, recorded_at)."),
        ("a.csv", b"\n\n", "missing_column: user_id, metric, value, recorded_at (found: )."),
        ("a.csv", b"user_id,metric,recorded_at,weight (kg)\n", "missing_column: value (found: user_id, metric, recorded_at, weight (kg))."),
        ("a.csv", f"{HEADER},Value\n".encode(), "missing_column: value stands more than once."),
        ("a.csv", f"{HEADER},source,Source\n".encode(), "missing_column: source stands more than once."),
        ("a.parquet", parquet(pa.table({"user_id": [1], "metric": ["weight"]})), "missing_column: value, recorded_at (found: user_id, metric)."),
    ],
)  # fmt: skip
def test_a_missing_column_is_named(folder, engine, name, content, reason):
    with pytest.raises(SchemaError) as caught:
        opened(folder, engine, name, content)
    assert str(caught.value) == f"health_readings/{name}: {reason}"


@pytest.mark.parametrize(
    "line",
    [
        f"1,heart_rate,60,2026-03-01,{SECRET}", f"{SECRET},heart_rate,60,2026-03-01", f"7;weight;{SECRET};2026-03-01",
        f"{SECRET},{SECRET}", f"{SECRET}",
    ],
)  # fmt: skip
def test_a_file_without_a_header_does_not_tell_its_first_row(folder, engine, line):
    with pytest.raises(SchemaError) as caught:
        opened(folder, engine, "a.csv", f"{line}\n2,weight,70,2026-03-01\n".encode())
    assert SECRET not in str(caught.value)
    assert "2026" not in str(caught.value)


def test_a_damaged_page_is_found_when_the_rows_are_read(folder, engine):
    count = 20_000
    content = bytearray(parquet(pa.table({
        "user_id": range(count), "metric": ["weight"] * count, "value": [float(n * n) for n in range(count)],
        "recorded_at": [datetime(2026, 3, 1)] * count,
    })))  # fmt: skip
    content[500:9_000] = random.Random(2).randbytes(8_500)
    file = opened(folder, engine, "a.parquet", bytes(content))  # the footer is whole
    with pytest.raises(DataError, match="the data are damaged"):
        engine.rows(engine.parquet_file(file.path))


def test_unfinished_and_hidden_files_are_left_alone(folder):
    for name in ("a.csv.part", "b.csv.tmp", "c.crdownload", "d.csv~", ".e.csv", ".hidden/f.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(CSV)
    (folder / "g.csv").mkdir()
    (folder / "h.csv").symlink_to(folder / "gone.csv")
    assert landing.find_files(folder.parent, HEALTH_READINGS) == []


def test_files_come_in_the_order_of_their_names(folder):
    for name in ("b.csv", "a/z.csv", "c.csv", "a.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(CSV)
    names = [file.name for file in landing.find_files(folder.parent, HEALTH_READINGS)]
    assert names == ["a/z.csv", "a.csv", "b.csv", "c.csv"]
    assert landing.find_files(folder.parent, SLEEP_SESSIONS) == []


def test_a_name_in_another_encoding_or_with_a_line_break_is_one_line_of_text(folder):
    (folder / "a\nb.csv").write_bytes(CSV)
    (Path(str(folder).encode().decode()) / b"caf\xe9.csv".decode(errors="surrogateescape")).write_bytes(CSV)
    names = [file.name for file in landing.find_files(folder.parent, HEALTH_READINGS)]
    assert names == ["a�b.csv", "caf�.csv"]


def test_what_no_dataset_reads_is_told(folder):
    (folder.parent / "helth_readings").mkdir()
    (folder.parent / "notes.txt").write_text("")
    (folder.parent / ".hidden").mkdir()
    found = landing.unknown_folders(folder.parent, frozenset({"health_readings"}))
    assert found == ["helth_readings", "notes.txt"]
    assert landing.unknown_folders(folder.parent / "nowhere", frozenset()) == []


def test_a_file_is_known_by_its_bytes(folder):
    for name, content in (("a.csv", CSV), ("b.csv", CSV), ("c.csv", CSV + b"\n")):
        (folder / name).write_bytes(content)
    hashes = [landing.hash_file(folder / name) for name in ("a.csv", "b.csv", "c.csv")]
    assert hashes[0] == hashes[1] != hashes[2]
    assert len(hashes[0]) == 64
