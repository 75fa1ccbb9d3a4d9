"""Who a person is: HealthMate's own numbers pass through, a foreign id becomes a number above all of them."""

from __future__ import annotations

from hashlib import sha256

FIRST_FOREIGN_ID = 2**62 + 1
"""HealthMate's own numbers lie below; foreign ones lie from here up to, and without, 2^63."""

_BITS = 62


def foreign_user_id(system: str, foreign_id: str) -> int:
    """The number of a person whom another system calls ``foreign_id``.

    It is 2^62 plus the first 62 bits of SHA-256 of ``<system>:<foreign_id>``, so that every import of the
    same person gives the same number without a list of people. That two people among a million share a number
    has a probability of 1 in 9 million; whoever keeps the pairs refuses it.

    >>> foreign_user_id("fitbit", "1503960366")
    5823174061669540173
    >>> FIRST_FOREIGN_ID <= foreign_user_id("fitbit", "x") < 2**63
    True
    """
    digest = sha256(f"{system}:{foreign_id}".encode()).digest()
    number = int.from_bytes(digest[:8], "big") >> (64 - _BITS)
    return max(FIRST_FOREIGN_ID, (1 << _BITS) + number)
