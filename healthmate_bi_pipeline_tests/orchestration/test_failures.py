import dagster as dg
import pytest

from healthmate_bi_pipeline.errors import BusyError, DataError
from healthmate_bi_pipeline.orchestration import failures
from healthmate_bi_pipeline.orchestration.failures import MAX_RETRIES, told_to_dagster

SECRET = "the patient's 142 mmHg"


def _run(error: Exception, *, succeeds_at: int | None = None) -> tuple[dg.ExecuteInProcessResult, int]:
    tries = 0

    @dg.asset
    def thing(context: dg.AssetExecutionContext) -> None:
        nonlocal tries
        tries += 1
        with told_to_dagster(context.op_execution_context):
            if tries != succeeds_at:
                raise error

    return dg.materialize([thing], raise_on_error=False), tries


def _texts(result: dg.ExecuteInProcessResult) -> str:
    return "\n".join(f"{event.message} {event.event_specific_data}" for event in result.all_events)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "FIRST_WAIT_SECONDS", 0.0)


def test_what_is_transient_is_tried_again() -> None:
    result, tries = _run(BusyError("another run is at it."), succeeds_at=3)
    assert result.success
    assert tries == 3


def test_not_for_ever() -> None:
    result, tries = _run(BusyError("another run is at it."))
    assert not result.success
    assert tries == MAX_RETRIES + 1
    assert "another run is at it." in _texts(result)


def test_what_is_permanent_fails_at_once() -> None:
    result, tries = _run(DataError("the file is no file."))
    assert tries == 1
    (failed,) = (event for event in result.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data.description == "the file is no file."


def test_the_text_of_an_unexpected_error_is_kept_out_of_the_log() -> None:
    result, tries = _run(ValueError(SECRET))
    assert tries == 1
    assert SECRET not in _texts(result)
    assert "Unexpected ValueError" in _texts(result)


def test_who_debugs_sees_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HEALTHMATE_DEBUG", "1")
    result, _ = _run(ValueError(SECRET))
    assert SECRET in capsys.readouterr().err
    assert SECRET not in _texts(result)
