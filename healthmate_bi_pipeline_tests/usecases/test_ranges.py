"""Free ranges of days: parts of the people where memory does not suffice, and rows that add up."""

import pytest

from healthmate_bi_pipeline.errors import EngineFullError
from healthmate_bi_pipeline.usecases.ranges import FIGURE_COLUMNS, MOST_PARTS, added_rows, made_of_people


@pytest.mark.parametrize(("fits", "parts"), [(100, 1), (50, 2), (30, 4), (2, 64)])
def test_what_does_not_fit_is_made_of_ever_smaller_parts_and_every_person_once(fits, parts):
    def make(part):
        people = [person for person in range(100) if person % part.parts == part.number]
        if len(people) > fits:
            raise EngineFullError("too much at once")
        return people

    made = made_of_people(make)
    assert len(made) == parts
    assert sorted(person for people in made for person in people) == list(range(100))


def test_what_does_not_fit_in_the_smallest_parts_is_an_error():
    tried = []

    def make(part):
        tried.append(part.parts)
        raise EngineFullError("too much at once")

    with pytest.raises(EngineFullError):
        made_of_people(make)
    assert tried == [1, 2, 4, 8, 16, 32, MOST_PARTS]


def test_rows_on_different_people_add_up_by_their_key():
    def row(figure, people, total, low, high):
        return {
            "figure": figure,
            "people": people,
            "total": total,
            "total_squared": None,
            "low": low,
            "high": high,
        }

    one = [row("b", 2, 0.1, 0.0, 0.1), row("a", 1, None, None, None)]
    other = [row("b", 3, 0.2, -1.0, 0.05), row("c", 1, 5.5, 5.5, 5.5)]
    added = added_rows([one, other], key=("figure",), counts=FIGURE_COLUMNS)
    assert added == [row("a", 1, None, None, None), row("b", 5, 0.3, -1.0, 0.1), row("c", 1, 5.5, 5.5, 5.5)]
    assert added_rows([one], key=("figure",), counts=("people",)) == [
        {"figure": "a", "people": 1}, {"figure": "b", "people": 2},
    ]  # fmt: skip
