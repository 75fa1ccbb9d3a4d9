"""Access logs: every line becomes a row or is kept as rejected, and nothing of a client is taken over."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from healthmate_bi_pipeline.catalog.datasets import API_REQUESTS
from healthmate_bi_pipeline.catalog.lake_tables import staged_table
from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings import Settings
from healthmate_bi_pipeline.sources.imports import ImportResult
from healthmate_bi_pipeline.transforms.access_logs import LogOptions
from healthmate_bi_pipeline.usecases.access_logs import LogPlace, import_access_logs
from healthmate_bi_pipeline_tests.accounts import INGEST, assert_books_balance, fates, lake_frame, rules
from healthmate_bi_pipeline_tests.running import SHARED_DATA, opened, refresh

NOW = datetime(2026, 4, 1, 12)
PLACE = LogPlace("web", "production", "web-1")
REAL = SHARED_DATA / "web_logs" / "elastic_apache_logs.log"
CLIENT, AGENT = "203.0.113.77", "Mozilla/5.0 (Frank's own)"
BEFORE = f'{CLIENT} - frank [10/Oct/2000:13:55:36 -0700] "GET /users/42?secret=1 HTTP/1.1"'
COMBINED = f'{BEFORE} 200 2326 "http://referrer.example/" "{AGENT}"'


def read(
    settings: Settings, text: str | bytes, *, options: LogOptions | None = None, name: str = "access.log"
) -> tuple[ImportResult, pd.DataFrame, pd.DataFrame]:
    """Import one log; the result, the rows and the rejected rows."""
    path = settings.home_path.parent / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with opened(settings, now=NOW) as pipeline:
        result = import_access_logs(pipeline, [path], place=PLACE, options=options or LogOptions())
    frames = {"access-log-rejected": pd.DataFrame(), "access-log": pd.DataFrame()}
    for file in result.files:
        frames[file.name.rpartition("-")[0]] = pd.read_parquet(file)
    return result, frames["access-log"], frames["access-log-rejected"]


@pytest.mark.parametrize(
    ("line", "milliseconds"),
    [
        (f"{BEFORE} 200 2326", None),  # the common format
        (COMBINED, None),
        (f"{COMBINED} 0.123", 123),  # nginx: $request_time
        (f"{COMBINED} 1234", 1.234),  # Apache: %D
        (f'{COMBINED} rt=0.5 uct="0.001" urt="0.4"', 500),
        (f'{COMBINED} 42 "router@docker" "http://10.0.0.1" 12ms', 12),  # Traefik
        (f"{COMBINED} 345 0.012 [default-svc-80] [] 10.0.0.1:8080 512 0.015 200 abc", 12),  # ingress-nginx
        (f'{COMBINED} "-" 0.250', 250),  # with $http_x_forwarded_for
        (f"example.com:80 {COMBINED} 77", 0.077),  # vhost_combined
        (f"{COMBINED.replace(AGENT, chr(92) + chr(34) + 'quoted')} 0.2", 200),
    ],
)
def test_response_times_behind_a_line(settings: Settings, line: str, milliseconds: float | None) -> None:
    result, rows, rejected = read(settings, line + "\n")
    assert (len(rows), len(rejected), result.rows) == (1, 0, {"api_requests": 1})
    row = rows.iloc[0]
    assert (row["status_code"], row["route"]) == ("200", "GET /users/{id}")
    assert pd.Timestamp(row["occurred_at"]) == pd.Timestamp("2000-10-10T20:55:36Z")
    assert pd.isna(row["duration_ms"]) if milliseconds is None else row["duration_ms"] == milliseconds
    assert (row["service"], row["environment"], row["instance_id"]) == ("web", "production", "web-1")
    assert row["origin"] == "access.log:1"


@pytest.mark.parametrize(
    ("line", "route", "status", "milliseconds", "moment"),
    [
        (  # nginx
            '{"time_iso8601":"2026-01-01T01:00:00+01:00","request":"GET /a/1 HTTP/1.1","status":200,"request_time":0.25}',
            "GET /a/{id}", "200", 250, "2026-01-01T00:00:00Z",
        ),
        (  # Caddy
            '{"ts":1646861401.5241024,"request":{"method":"GET","uri":"/p?x=1"},"duration":0.000929675,"status":200}',
            "GET /p", "200", 0.929675, "2022-03-09T21:30:01.524102Z",
        ),
        (  # pino
            '{"time":1522282992011,"req":{"method":"POST","url":"/login"},"res":{"statusCode":401},"responseTime":12}',
            "POST /login", "401", 12, "2018-03-29T00:23:12.011Z",
        ),
        (  # Traefik
            '{"Duration":607309,"DownstreamStatus":502,"RequestMethod":"GET","RequestPath":"/x","time":"2021-03-10T18:21:31Z"}',
            "GET /x", "502", 0.607309, "2021-03-10T18:21:31Z",
        ),
        (  # Google Cloud
            '{"timestamp":"2021-03-10T18:21:31.5Z","httpRequest":{"requestUrl":"https://h/v2/t/77","status":404,"latency":"0.123s"}}',
            "(not found)", "404", 123, "2021-03-10T18:21:31.5Z",
        ),
        (  # Elastic Common Schema
            '{"@timestamp":"2021-03-10T18:21:31Z","http.request.method":"get","http":{"response":{"status_code":200}},"url":{"path":"/items"},"event":{"duration":5000000}}',
            "GET /items", "200", 5, "2021-03-10T18:21:31Z",
        ),
    ],
)  # fmt: skip
def test_json_lines_of_known_software(
    settings: Settings, line: str, route: str, status: str, milliseconds: float, moment: str
) -> None:
    _, rows, rejected = read(settings, line + "\n")
    assert rejected.empty
    row = rows.iloc[0]
    assert (row["route"], row["status_code"]) == (route, status)
    assert row["duration_ms"] == pytest.approx(milliseconds, rel=1e-12)
    assert pd.Timestamp(row["occurred_at"]) == pd.Timestamp(moment)


def test_what_a_log_does_not_tell_is_an_option(settings: Settings) -> None:
    lines = f'{COMBINED} 3\n{{"time":"2026-01-01T00:00:00Z","path":"/a","status":200,"perf":{{"wall":3}}}}\n'
    options = LogOptions(duration_unit="s", duration_member=("perf", "wall"))
    _, rows, _ = read(settings, lines, options=options)
    assert rows["duration_ms"].tolist() == [3000, 3000]


def test_lines_that_cannot_be_read_are_named_and_kept_without_the_client(settings: Settings) -> None:
    lines = [
        COMBINED,
        f'{CLIENT} - frank "GET /x?secret=1 HTTP/1.1" 200 17 "http://r" "{AGENT}"',  # no time
        f'{{"time":"2026-01-01T00:00:00Z","remote_addr":"{CLIENT}","user_agent":"{AGENT}","msg":"started"}}',
        '{"time": "2026-01-01T00:00:00Z", "status": 20',
        "frank@example.com 2001:db8::7 fe80:0:0:0:1:2:3:4",
        "",
        COMBINED,
    ]
    result, rows, rejected = read(settings, "\n".join(lines) + "\n")
    assert rows["origin"].tolist() == ["access.log:1", "access.log:7"]
    assert rejected["origin"].tolist() == [f"access.log:{line}" for line in (2, 3, 4, 5)]
    assert [(problem.line, problem.rule) for problem in result.problems] == [
        (line, "malformed_line") for line in (2, 3, 4, 5)
    ]
    # With the same columns, so that the check of columns takes neither file for a change.
    assert pq.read_schema(result.files[0]).equals(pq.read_schema(result.files[1]))
    (log,) = result.inputs
    assert (log.lines, log.rejected) == (6, 4)
    written = rows.to_csv() + rejected.to_csv()
    for personal in (CLIENT, "frank", "Frank", "Mozilla", "referrer", "secret", "2001:db8", "fe80"):
        assert personal not in written


def test_lines_that_can_be_read_and_make_no_sense_are_set_aside_by_their_rule(settings: Settings) -> None:
    json = '{"time":"2026-03-01T00:00:00Z","path":"/a","status":%s,"duration_ms":%s}'
    lines = [
        f"{COMBINED} 0.1",
        f"{COMBINED.replace(' 200 ', ' 999 ')} 0.1",
        f"{COMBINED.replace(' 200 ', ' 000 ')} 0.1",
        json % (200, 12),
        json % (0, 12),
        json % (200, -12),
        json % (200, 86_400_001),
        json % (200, 1e300),
        json % ('"OK"', 12),
        "no line of a log",
    ]
    result, rows, rejected = read(settings, "\n".join(lines) + "\n")
    assert (result.inputs[0].lines, len(rows), len(rejected)) == (10, 9, 1)
    assert [(problem.line, problem.rule) for problem in result.problems] == [(10, "malformed_line")]
    with opened(settings, now=NOW) as pipeline:
        refresh(pipeline, groups=INGEST, names=("staged/api_requests", "raw/api_requests"))
        assert_books_balance(pipeline)
        assert fates(pipeline, API_REQUESTS) == {"kept": 2, "quarantined": 7}
        assert rules(pipeline, API_REQUESTS) == {
            "impossible_value:status_code": 3,
            "negative:duration_ms": 1,
            "impossible_value:duration_ms": 2,
            "wrong_type:status_code": 1,
        }
        staged = lake_frame(pipeline, staged_table(API_REQUESTS).name)
        # What could not be read at all has no time, and therefore no day.
        assert staged["defect"].dropna().tolist() == ["undated"]


def test_bytes_that_are_no_text_spoil_one_line(settings: Settings) -> None:
    text = f"{COMBINED}\n".encode() + b"\xff\xfe \xc3\x28\n" + f"{COMBINED}\n".encode()
    _, rows, rejected = read(settings, text)
    assert (len(rows), rejected["origin"].tolist()) == (2, ["access.log:2"])


def test_a_log_that_has_grown_or_was_packed_names_its_requests_as_before(settings: Settings) -> None:
    short = f"{COMBINED} 0.1\n" * 20
    grown = short + f"{COMBINED} 0.2\n"
    _, first, _ = read(settings, short)
    _, second, _ = read(settings, gzip.compress(grown.encode()), name="access.log.1.gz")
    assert second["request_id"].tolist()[:20] == first["request_id"].tolist()
    assert second["request_id"].nunique() == 21


def test_the_same_log_gives_the_same_bytes(settings: Settings) -> None:
    first, _, _ = read(settings, f"{COMBINED}\nbroken\n" * 50)
    second, _, _ = read(settings, f"{COMBINED}\nbroken\n" * 50)
    assert first.files == second.files
    assert len(first.files) == 2


def test_a_cut_off_log_is_left_out_as_a_whole(settings: Settings) -> None:
    packed = gzip.compress((f"{COMBINED}\n" * 1000).encode())
    result, rows, rejected = read(settings, packed[: len(packed) // 2], name="access.log.gz")
    assert [str(problem) for problem in result.problems] == ["access.log.gz: unreadable_file"]
    assert rows.empty
    assert rejected.empty
    assert not list(settings.landing_path.rglob("*access-log*"))


@pytest.mark.parametrize("place", [LogPlace("", "e", "i"), LogPlace("*", "e", "i"), LogPlace("s", "e", " ")])
def test_a_place_needs_names(settings: Settings, place: LogPlace, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(COMBINED)
    with opened(settings, now=NOW) as pipeline, pytest.raises(UsageError):
        import_access_logs(pipeline, [tmp_path / "a.log"], place=place, options=LogOptions())


@pytest.mark.skipif(not REAL.is_file(), reason="the web log of ../shared/data is not here")
def test_a_real_log_line_by_line(settings: Settings) -> None:
    """Against a reading of the log in plain Python."""
    with opened(settings, now=NOW) as pipeline:
        result = import_access_logs(pipeline, [REAL], place=PLACE, options=LogOptions())
    rows = pd.concat(pd.read_parquet(file) for file in result.files)
    pattern = re.compile(r'\[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<target>\S+)[^"]*" (?P<status>\d+) ')
    lines = REAL.read_text().splitlines()
    found = [match for line in lines if (match := pattern.search(line))]
    assert len(found) == len(lines) == len(rows) == 10_000
    times = [datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC) for match in found]
    assert pd.to_datetime(rows["occurred_at"], utc=True).tolist() == times
    assert rows["status_code"].tolist() == [match["status"] for match in found]
    assert [route.split(" ")[0] for route in rows["route"]] == [match["method"] for match in found]
    tops = Counter(
        (match["method"], match["target"].split("?")[0].split("/")[1])
        for match in found
        if match["status"] != "404" and re.fullmatch(r"/(presentations|blog|files)/.*", match["target"])
    )
    assert {
        key: int(
            (
                rows["route"].str.fullmatch(f"{key[0]} /{key[1]}(/.*)?") & rows["route"].str.count("/").ge(1)
            ).sum()
        )
        for key in tops
    } == {key: count + _bare(found, key) for key, count in tops.items()}
    assert rows["route"].nunique() < 320  # of 2,111 different targets


def _bare(found: list[re.Match[str]], key: tuple[str, str]) -> int:
    """Requests for a folder itself, without anything behind it."""
    return sum(
        match["method"] == key[0] and re.fullmatch(rf"/{key[1]}([?#].*)?", match["target"]) is not None
        and match["status"] != "404"
        for match in found
    )  # fmt: skip
