"""Paths and names of routes → route groups, as expressions. The rules are those of ``catalog/routes``.

A route group made from a route group is the same again, so that it does not matter who makes it first.
"""

from __future__ import annotations

from typing import Any

import ibis

from healthmate_bi_pipeline.catalog.routes import (
    DEEPER,
    DEPTH,
    FILE,
    METHODS,
    PERSON_COLLECTIONS,
    PLACEHOLDER,
    UNKNOWN_ROUTE,
    VALUE,
    VERSION,
    WORD,
    WORDS_AFTER_PERSONS,
)

_LONGEST_NAME = 80
_METHOD = rf"^(?:{'|'.join(METHODS)})(?: |$)"


def route_group(route: Any) -> Any:
    """The group of a route: ``GET /users/123?a=b`` becomes ``GET /users/{id}``.

    What is no path (the name of a handler or of an endpoint) is kept but for what looks like a number of
    something or an address.
    """
    text = route.strip().nullif("")
    method = text.re_extract(_METHOD, 0)
    rest = text.substr(method.length()).strip()
    is_path = rest.re_search(r"^(?:/|[a-z][a-z0-9+.-]*://)")
    grouped = (
        method.strip()
        + (method.strip() != "").ifelse(" ", "")
        + is_path.ifelse(path_group(rest), _named(rest))
    )
    # A lone star stands for all routes in the figures.
    return grouped.strip().nullif("").nullif(DEEPER).fill_null(UNKNOWN_ROUTE)


def path_group(target: Any) -> Any:
    """The group of a path or URL: without query, with its values left out, ``DEPTH`` segments deep."""
    path = target.re_replace(r"^[a-z][a-z0-9+.-]*://[^/?#]*", "").re_replace(r"[?#;].*$", "")
    segments = path.split("/").filter(lambda segment: segment != "")
    kept = segments[:DEPTH]
    before = ibis.array([""]).concat(kept)
    pairs = kept.zip(before).filter(lambda pair: pair.f1.notnull())  # each with the one before it
    shown = pairs.map(lambda pair: _segment(pair.f1, pair.f2))
    more = (segments.length() > DEPTH).ifelse(f"/{DEEPER}", "")
    return ibis.literal("/") + shown.join("/").fill_null("") + more


def _segment(segment: Any, before: Any) -> Any:
    small = segment.lower()
    is_somebody = before.lower().isin(PERSON_COLLECTIONS) & ~small.isin(WORDS_AFTER_PERSONS)
    return ibis.cases(
        (segment.re_search(PLACEHOLDER), segment),
        (segment.re_search(FILE), ibis.literal("*.") + small.re_extract(r"\.([a-z0-9]+)$", 1)),
        (is_somebody, VALUE),
        (segment.re_search(WORD) | segment.re_search(VERSION), segment),
        else_=VALUE,
    )


def _named(name: Any) -> Any:
    """A name that is no path."""
    general = name.re_replace(r"\S*@\S*", VALUE).re_replace(r"\S*\d{3}\S*", VALUE).re_replace(r"\?\S*", "")
    return general.left(_LONGEST_NAME).strip()
