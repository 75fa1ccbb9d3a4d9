"""The generated pages tell what the catalog says."""

import pytest

from docs.generate import FOLDER, pages


@pytest.mark.parametrize("name", pages())
def test_generated_pages_are_up_to_date(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == pages()[name], f"docs/{name} is out of date: run `make docs`"
