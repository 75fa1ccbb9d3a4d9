"""What people read of a step that failed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

from dagster._utils.error import SerializableErrorInfo, serializable_error_info_from_exc_info

from healthmate_bi_pipeline.errors import TransientError
from healthmate_bi_pipeline.orchestration.execution import reason_of

CLEAR = "PostgreSQL on db does not answer: it restarts. Try again."


def _kept(fail: Callable[[], NoReturn]) -> SerializableErrorInfo:
    """What Dagster keeps of an error."""
    try:
        fail()
    except RuntimeError:
        return serializable_error_info_from_exc_info(sys.exc_info())


def _lose_the_server() -> NoReturn:
    raise TransientError(CLEAR)


def _lose_the_server_twice() -> NoReturn:
    try:
        _lose_the_server()
    except TransientError:
        try:
            int("no number")
        except ValueError as error:
            raise RuntimeError("while executing a step") from error
    raise AssertionError


def _fail_otherwise() -> NoReturn:
    raise RuntimeError("first\nsecond")


def test_the_clear_line_is_found_under_what_failed_after_it() -> None:
    assert reason_of(_kept(_lose_the_server_twice)) == CLEAR


def test_without_one_it_is_the_first_line() -> None:
    assert reason_of(_kept(_fail_otherwise)) == "RuntimeError: first"
