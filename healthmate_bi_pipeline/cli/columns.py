"""Tables on the terminal."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns of one width: the first to the left, the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def size_text(size: int) -> str:
    """Bytes as people read them.

    >>> size_text(999), size_text(1_500), size_text(25_000_000)
    ('999 B', '1.5 kB', '25 MB')
    """
    value, place = float(size), 0
    while value >= 1_000 and place < len(_UNITS) - 1:
        value, place = value / 1_000, place + 1
    return f"{value:.1f} {_UNITS[place]}" if place and value < 10 else f"{value:.0f} {_UNITS[place]}"
