"""CSV lines → cells with their line numbers."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthmate_bi_pipeline.errors import UnreadableFileError
from healthmate_bi_pipeline.sources.fitbit.formats import ExportFile, recognise
from healthmate_bi_pipeline.sources.fitbit.lines import read_lines

HEADER = b"Id,Time,Value"


def read(path: Path, block_bytes: int = 1 << 20):
    """All lines as (number, cells), and the malformed ones."""
    file = recognise(path, path.name)
    assert isinstance(file, ExportFile)
    malformed: dict[int, str] = {}
    good = []
    for lines in read_lines(file, malformed=malformed.__setitem__, block_bytes=block_bytes):
        columns = [column.to_pylist() for column in lines.cells.values()]
        good += list(zip(lines.numbers.tolist(), zip(*columns, strict=True), strict=True))
    return good, malformed


LINES = st.sampled_from(
    [
        b"1,a,2", b"", b"1,b", b"1,2,3,4", b'"1","c","2"', b'1,"d,2', b"1,\xff,2", b"\xff", "1,é,2".encode(),
        b" 1 , e ,2",
    ]
)  # fmt: skip


@given(
    lines=st.lists(LINES, max_size=30),
    block_bytes=st.sampled_from([24, 64, 1 << 16]),
    ends=st.sampled_from([b"\n", b"\r\n"]),
)
def test_lines_are_numbered_as_a_text_editor_does(tmp_path_factory, lines, block_bytes, ends):
    path = tmp_path_factory.mktemp("lines") / "x.csv"
    path.write_bytes(ends.join([HEADER, *lines]) + ends)
    good, malformed = [], {}
    for number, line in enumerate(lines, start=2):
        cells = line.split(b",")
        try:
            texts = tuple(cell.decode().strip(' "') for cell in cells)
        except UnicodeDecodeError:
            malformed[number] = line.decode(errors="backslashreplace")
            continue
        if len(texts) != 3 and line:
            malformed[number] = line.decode()
        elif line:
            good.append((number, texts))
    assert read(path, block_bytes) == (good, malformed)


def test_a_byte_order_mark_quotes_and_capitals_in_the_header_do_not_matter(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b'\xef\xbb\xbf"ID", "time" ,VALUE\n1,4/1/2016,60\n')
    assert read(path) == ([(2, ("1", "4/1/2016", "60"))], {})


def test_a_packed_file_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(gzip.compress(HEADER + b"\n1,a,2"))
    assert read(path) == ([(2, ("1", "a", "2"))], {})


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-20], lambda data: data[:400] + b"\0\0\0\0" + data[404:]]
)
def test_a_packed_file_that_is_damaged_cannot_be_read(tmp_path, damage):
    path = tmp_path / "x.csv.gz"
    rows = b"".join(b"%d,a%d,2\n" % (number, number * number) for number in range(5_000))
    path.write_bytes(damage(gzip.compress(HEADER + b"\n" + rows)))
    with pytest.raises(UnreadableFileError):
        read(path)
