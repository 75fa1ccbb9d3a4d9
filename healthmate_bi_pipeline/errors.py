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
        ├── EngineFullError       the engine's memory or scratch space does not suffice
        └── DeliveryError         a channel did not take a message
"""


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


class EngineFullError(TransientError):
    """The engine's memory or scratch space does not suffice; less at once may."""


class DeliveryError(TransientError):
    """A channel did not take a message; the text holds no address and no secret."""
