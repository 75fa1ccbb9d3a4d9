"""Pieces of a window: by size, and smaller where the engine's memory does not suffice."""

from datetime import date, timedelta

import pytest

from healthmate_bi_pipeline.domain.period import Period, Window
from healthmate_bi_pipeline.errors import EngineFullError
from healthmate_bi_pipeline.usecases.chunks import chunks, made_in_chunks

FIRST = date(2026, 1, 1)
WINDOW = Window.of_days(FIRST, FIRST + timedelta(days=30))
SIZES = {FIRST + timedelta(days=day): 100 for day in range(31)}


def test_pieces_cover_the_window_once_and_hold_no_more_than_asked():
    pieces = list(chunks(WINDOW, SIZES, most=700))
    assert [piece.days for piece in pieces] == [7, 7, 7, 7, 3]
    assert (pieces[0].start, pieces[-1].end) == (WINDOW.start, WINDOW.end)


@pytest.mark.parametrize("fits", [1, 3, 8, 31])
def test_a_piece_that_does_not_fit_is_made_in_halves_and_every_day_once(fits):
    made: list[date] = []

    def make(piece):
        if piece.days > fits:
            raise EngineFullError("too much at once")
        made.extend(piece.each_day())
        return piece.days

    pieces = list(made_in_chunks(WINDOW, SIZES, make=make))
    assert made == list(WINDOW.each_day())
    assert all(days == piece.days <= fits for piece, days in pieces)


def test_a_single_period_that_does_not_fit_is_an_error():
    def make(piece):
        raise EngineFullError("too much at once")

    with pytest.raises(EngineFullError):
        list(made_in_chunks(WINDOW, SIZES, unit=Period.MONTHLY, make=make))


def test_periods_without_rows_are_made_too():
    pieces = [piece for piece, _ in made_in_chunks(WINDOW, {}, make=lambda piece: piece.days)]
    assert pieces == [WINDOW]
