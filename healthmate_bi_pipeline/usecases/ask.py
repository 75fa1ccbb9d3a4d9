"""Ask: a question in SQL, answered by somebody who can only read, and noted in the audit log."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from hashlib import sha256

from healthmate_bi_pipeline.errors import HealthMateError
from healthmate_bi_pipeline.warehouse import runs
from healthmate_bi_pipeline.warehouse.reading import QueryResult, run_query
from healthmate_bi_pipeline.warehouse.warehouse import Warehouse


def ask(warehouse: Warehouse, question: str, *, limit: int | None = None) -> QueryResult:
    """Answer one question that only reads.

    The log keeps the hash of the question and not its text, which may hold values of a person.

    Raises:
        UsageError: the question is wrong, or asks for what may not be read.
    """
    try:
        answer = run_query(warehouse, question, limit=limit)
    except HealthMateError:
        _note(warehouse, question, rows=None, outcome="failed")
        raise
    _note(warehouse, question, rows=len(answer.rows), outcome="done")
    return answer


def _note(warehouse: Warehouse, question: str, *, rows: int | None, outcome: str) -> None:
    with warehouse.transaction() as connection:
        runs.record_action(
            connection,
            actor=getpass.getuser(),
            action="sql",
            object="warehouse",
            window=None,
            rows=rows,
            outcome=outcome,
            detail={"sha256": sha256(question.encode()).hexdigest()},
            now=datetime.now(UTC),
        )
