"""Arrow rows into PostgreSQL, as a stream of binary COPY."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb

from healthmate_bi_pipeline.catalog.columns import Column, Type
from healthmate_bi_pipeline.errors import IntegrityError
from healthmate_bi_pipeline.warehouse.failures import as_health_mate_error

if TYPE_CHECKING:
    from sqlalchemy import Connection

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.INTEGER: pa.int64(),
    Type.NUMBER: pa.float64(),
    Type.EXACT: pa.decimal128(38, 6),
    Type.TEXT: pa.string(),
    Type.TEXT_LIST: pa.list_(pa.string()),
    Type.BOOLEAN: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us"),
    Type.INSTANT: pa.timestamp("us", tz="UTC"),
    Type.JSON: pa.string(),
}

BATCH_ROWS = 16_384
"""Rows that are encoded at once; what bounds the memory of a load, however large the batches come in."""

_SENT_AT_ONCE = 1 << 24
"""Bytes that the driver takes at once: it lets other threads work only while it sends."""


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The columns in Arrow's terms."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in columns])


def conformed(batch: pa.RecordBatch, columns: Sequence[Column], *, table: str) -> pa.RecordBatch:
    """A batch with exactly these columns in this order and the types that PostgreSQL expects.

    Raises:
        IntegrityError: a column is missing, unknown, of a wrong type, or holds NaN or an infinity.
    """
    expected = [column.name for column in columns]
    missing, unknown = set(expected) - set(batch.schema.names), set(batch.schema.names) - set(expected)
    if missing or unknown or len(batch.schema.names) != len(expected):
        parts = [
            f"{label} {', '.join(sorted(names))}"
            for label, names in (("lack", missing), ("have unknown", unknown))
            if names
        ]
        raise IntegrityError(
            f"Rows for {table} {' and '.join(parts) or 'name a column twice'}; nothing was written."
        )
    arrays = []
    for column in columns:
        array = batch.column(column.name)
        wanted = ARROW_TYPES[column.type]
        if array.type != wanted:
            array = _cast(array, wanted, where=f"{table}.{column.name}")
        if column.type is Type.NUMBER and not pc.all(pc.is_finite(array), min_count=0).as_py():
            raise IntegrityError(
                f"Rows for {table} hold NaN or an infinity in {column.name}; nothing was written."
            )
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(columns))


def _cast(array: pa.Array, wanted: pa.DataType, *, where: str) -> pa.Array:
    try:
        return array.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # its text quotes the value
        raise IntegrityError(
            f"{where} cannot be written: {array.type} came, {wanted} was expected. Nothing was written."
        ) from None


def copy_rows(
    connection: Connection, target: str, columns: Sequence[Column], batches: Iterable[pa.RecordBatch]
) -> None:
    """Append rows to a table within the connection's transaction.

    Args:
        connection: in a transaction.
        target: the table, a partition or a temporary table.
        columns: those of the batches, which are ``conformed``, in their order.
        batches: read once, a few rows at a time.
    """
    quote = connection.dialect.identifier_preparer.quote_identifier
    names = ", ".join(quote(column.name) for column in columns)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - for the type checker: a checked-out connection has one
    with closing(_made_ahead(_encoded(columns, batches))) as parts:
        stream = _CopyStream(parts)
        try:
            with driver.cursor() as cursor:
                cursor.copy_expert(
                    f"COPY {quote(target)} ({names}) FROM STDIN (FORMAT BINARY)", stream, size=_SENT_AT_ONCE
                )
        except psycopg2.Error as error:
            # The driver tells PostgreSQL of an error while reading and then reports PostgreSQL's answer to that.
            raise (stream.error or as_health_mate_error(error)) from None


def _encoded(columns: Sequence[Column], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    schema = arrow_schema(columns)
    encoders = {field.name: ArrowToPostgresBinaryEncoder.infer_encoder(field) for field in schema}
    for column in columns:
        if column.type is Type.JSON:
            encoders[column.name] = StringEncoderBuilder.new_with_output(schema.field(column.name), Jsonb())
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, encoders)
    yield encoder.write_header()
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield encoder.write_batch(batch.slice(start, BATCH_ROWS))
    yield encoder.finish()


def _made_ahead(parts: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The parts, each made while the one before is being sent: encoder and server would wait for each other."""
    with ThreadPoolExecutor(1, thread_name_prefix="copy") as encoder:
        coming = encoder.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = encoder.submit(next, parts, None)
            yield part


class _CopyStream:
    """What the driver reads from: the encoded parts, one after the other."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = memoryview(b"")
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        try:
            while not self._rest:
                part = next(self._parts, None)
                if part is None:
                    return b""
                self._rest = memoryview(part)
        except Exception as error:
            self.error = error
            raise
        taken, self._rest = self._rest[:size], self._rest[size:]
        return bytes(taken)
