"""Errors as Dagster is told them: what is transient is tried again, and no event holds a value."""

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg

from healthmate_bi_pipeline.errors import HealthMateError, LostServerError, TransientError
from healthmate_bi_pipeline.orchestration.defects import unexpected
from healthmate_bi_pipeline.orchestration.interrupts import watch_interrupts

MAX_RETRIES = 3
MOST_TRIES = 3
"""How often what stands around the steps is done when PostgreSQL goes away meanwhile."""
FIRST_WAIT_SECONDS = 5.0


@contextmanager
def told_to_dagster(context: dg.OpExecutionContext) -> Iterator[None]:
    """Turn errors into Dagster's.

    A ``TransientError`` asks for another try, each after twice the time; any other ``HealthMateError`` fails
    at once. Of what nobody expected only its type and the places in the code are kept: third parties put
    values into their texts. ``HEALTHMATE_DEBUG=1`` prints it whole to the terminal.
    """
    with watch_interrupts() as interrupts:
        interrupts.raise_if_any()
        try:
            with _errors_told(context):
                yield
        except dg.Failure:
            interrupts.raise_if_any()  # native code made an error of it
            raise


@contextmanager
def _errors_told(context: dg.OpExecutionContext) -> Iterator[None]:
    try:
        yield
    except TransientError as error:
        if context.retry_number >= MAX_RETRIES:
            raise dg.Failure(str(error), allow_retries=False) from None
        context.log.warning(f"{error} Trying again.")  # noqa: G004 - Dagster's log has no arguments
        raise dg.RetryRequested(MAX_RETRIES, FIRST_WAIT_SECONDS * 2**context.retry_number) from None
    except HealthMateError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach the event log
        if os.environ.get("HEALTHMATE_DEBUG"):
            traceback.print_exc(file=sys.stderr)
        raise dg.Failure(unexpected(error), allow_retries=False) from None


def tried_again(make: Callable[[], None]) -> None:
    """Do something anew when PostgreSQL went away meanwhile; the warehouse has waited for it to be back.

    Raises:
        LostServerError: it went away each time.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return make()
        except LostServerError:
            continue
    return make()
