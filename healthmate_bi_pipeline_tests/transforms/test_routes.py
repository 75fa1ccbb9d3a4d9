"""Route groups: few of them, none with a value of a person, and the same when they are made again."""

from __future__ import annotations

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthmate_bi_pipeline.transforms.routes import route_group

EXAMPLES = {
    "GET /users/123?token=abc": "GET /users/{id}",
    "/users/alice/readings/2024-01-02": "/users/{id}/readings/{id}",
    "/api/v1/users/me": "/api/v1/users/me",
    "GET https://example.com/a/b/c/d/e/f": "GET /a/b/c/d/*",
    "/": "/",
    "GET /": "GET /",
    "/files/report-of-john.smith": "/files/{id}",
    "/img/portrait.of.alice.PNG": "/img/*.png",
    "/orders/550e8400-e29b-41d4-a716-446655440000/items": "/orders/{id}/items",
    "/t/deadbeefdeadbeefdeadbeef": "/t/{id}",
    "/search/diabetes": "/search/{id}",
    "/x;jsessionid=1234#part": "/x",
    "//a//b/": "/a/b",
    "/caf%C3%A9": "/{id}",
    "/x/:id/<int:number>/{name}": "/x/:id/<int:number>/{name}",
    "Wikipedia": "Wikipedia",
    "UserService/Get": "UserService/Get",
    "reminder for alice@example.com 12345": "reminder for {id} {id}",
    "*": "(unknown)",
    "": "(unknown)",
    None: "(unknown)",
}


def groups_of(routes: list[str | None]) -> list[tuple[str, str]]:
    """The groups of routes, and the groups of those again."""
    table = ibis.memtable({"route": routes}, schema={"route": "string"})
    once = table.mutate(once=route_group(table.route))
    found = ibis.duckdb.connect().to_pyarrow(once.mutate(twice=route_group(once.once)))
    return list(zip(found["once"].to_pylist(), found["twice"].to_pylist(), strict=True))


def test_values_are_left_out_and_words_kept() -> None:
    found = groups_of(list(EXAMPLES))
    assert {route: once for route, (once, _) in zip(EXAMPLES, found, strict=True)} == EXAMPLES


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(st.text("abZ/19?;#:{}<>*.-_@% GETv", max_size=30), min_size=20, max_size=60))
def test_the_group_of_a_group_is_itself(routes: list[str]) -> None:
    for once, twice in groups_of(list(routes)):
        assert once == twice
        assert once not in ("", "*")
