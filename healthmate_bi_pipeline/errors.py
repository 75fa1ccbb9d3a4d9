"""The tree of errors.

Every message names the thing, what was found, what was expected and what to do, and never holds a value of
a person. What may pass by itself (a lost connection, a full disk) is a ``TransientError`` and worth a retry;
everything else is not.

    HealthMateError
    ├── UsageError            a wrong argument or setting: the user can mend it
    ├── DataError             input that cannot be used
    │   ├── UnreadableFileError   a file that cannot be opened or parsed as what it claims to be
    │   └── SchemaError           a file or table without the columns that its dataset needs
    ├── IntegrityError        the pipeline's own books do not balance: going on would be wrong
    └── TransientError        may succeed when tried again
        ├── BusyError             another run holds the same window
        ├── LostServerError       PostgreSQL stopped, or the connection to it broke
        ├── LostLockError         what kept other writers out is gone, so nothing more is written
        ├── DiskFullError         a disk, a quota or the number of files is used up
        ├── EngineFullError       the engine's memory or scratch space does not suffice
        └── DeliveryError         a channel did not take a message
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class HealthMateError(Exception):
    """Any error that the pipeline raises on purpose; its text is one clear sentence."""


class UsageError(HealthMateError):
    """A wrong argument or setting."""


class DataError(HealthMateError):
    """Input that cannot be used."""


class UnreadableFileError(DataError):
    """A file that cannot be opened or parsed as what it claims to be."""


class SchemaError(DataError):
    """A file or table without the columns that its dataset needs."""


class IntegrityError(HealthMateError):
    """The pipeline's own books do not balance: going on would be wrong."""


class TransientError(HealthMateError):
    """Something that may succeed when tried again."""


class BusyError(TransientError):
    """Another run holds the same window and did not finish in time."""


class LostServerError(TransientError):
    """PostgreSQL stopped or the connection to it broke; it may be back in a moment."""


class LostLockError(TransientError):
    """A lock went with its connection: somebody else may write the same, so this writer has to begin anew."""


class DiskFullError(TransientError):
    """A disk, a quota or the number of files is used up; the text names what lies there."""


class EngineFullError(TransientError):
    """The engine's memory or scratch space does not suffice; less at once may."""


class DeliveryError(TransientError):
    """A channel did not take a message; the text holds no address and no secret."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_disk_full(error: BaseException) -> bool:
    """Whether an error is about a disk, a quota or a limit of files that is used up.

    Native libraries say so in their text only.

    >>> is_disk_full(OSError("write failed: No space left on device (os error 28)"))
    True
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _NO_ROOM
    return any(os.strerror(number) in str(error) for number in _NO_ROOM)


def disk_full(what: str, place: Path | str) -> DiskFullError:
    """The error for a place where nothing more can be written."""
    return DiskFullError(
        f"There is no room left for {what} in {place}. Free space there, or raise the quota, and run again: what"
        " was being made is made then, and what was there is unchanged."
    )


@contextmanager
def telling_full_disk(what: str, place: Path | str) -> Iterator[None]:
    """Turn errors about a full disk into a ``DiskFullError`` that names the place.

    Args:
        what: lies there: ``"the lake"``.
        place: its folder.
    """
    try:
        yield
    except HealthMateError:
        raise
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise disk_full(what, place) from None
