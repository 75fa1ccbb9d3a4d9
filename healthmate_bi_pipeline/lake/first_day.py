"""The first day: the earliest wall-clock day that was ever staged.

A small file beside the tables, because the partitionings are read from it whenever the definitions load: a
database need not run for that.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import date
from uuid import uuid4

from pyarrow import fs

from healthmate_bi_pipeline.errors import telling_full_disk
from healthmate_bi_pipeline.lake.store import Lake

FILE_NAME = "first_day.json"


def read_first_day(lake: Lake) -> date | None:
    """The earliest day ever staged, or ``None`` before the first import."""
    filesystem, path = lake.place(FILE_NAME)
    if filesystem.get_file_info(path).type is not fs.FileType.File:
        return None
    with filesystem.open_input_stream(path) as stream:
        return date.fromisoformat(json.loads(stream.read())["first_day"])


def move_first_day_back(lake: Lake, day: date) -> bool:
    """Make ``day`` the first day if it lies before the one that is known; whether it did.

    Two that do this at once would each compare with the day before the other's: the caller keeps them apart.
    """
    known = read_first_day(lake)
    if known is not None and known <= day:
        return False
    filesystem, path = lake.place(FILE_NAME)
    part = f"{path}.{uuid4().hex}.part"
    try:
        with telling_full_disk("the lake", lake.uri):
            filesystem.create_dir(path.rsplit("/", 1)[0], recursive=True)
            with filesystem.open_output_stream(part) as stream:
                stream.write(json.dumps({"first_day": day.isoformat()}).encode())
        lake.before_commit()
        filesystem.move(part, path)
    except BaseException:
        with suppress(OSError):
            filesystem.delete_file(part)
        raise
    return True
