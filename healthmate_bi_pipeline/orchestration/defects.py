"""Errors that nobody expected, told without their text: third parties put values into it."""

import traceback
from pathlib import Path

from healthmate_bi_pipeline.errors import is_disk_full

_PACKAGE = Path(__file__).parents[1]


def unexpected(error: BaseException) -> str:
    """An error without its text: its type, and where it came from.

    >>> try:
    ...     int("12 Main Street")
    ... except ValueError as error:
    ...     "Main Street" in unexpected(error)
    False
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    places = " > ".join(
        f"{Path(frame.filename).relative_to(_PACKAGE)}:{frame.lineno} {frame.name}" for frame in own[-4:]
    )
    if is_disk_full(error):
        return (
            f"A disk is full, or a quota is used up ({places or 'an unknown place'}). Free space and run again; what was"
            " there is unchanged."
        )
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return (
        f"Unexpected {kind} at {places or 'an unknown place'}. This is a defect of the pipeline; what was"
        " there is unchanged. HEALTHMATE_DEBUG=1 shows all of it in the terminal."
    )
