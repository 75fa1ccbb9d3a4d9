"""``python -m benchmarks [--family health|engagement|performance|churn|reports]``, ``--late-rows`` or ``--null-signals``.

Health is measured by ``measuring``, reports by ``reports``, the others by ``families``; the processes of their parts
import them by name. ``--late-rows`` measures what one late row costs (``late_rows``), ``--null-signals [--reports N]``
how often a report has an insight where nothing happened (``null_signals``).
"""

from __future__ import annotations

import argparse
import sys


def main() -> None:
    """Hand the arguments to what measures the family that they name."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--family", default="health")
    parser.add_argument("--late-rows", action="store_true")
    parser.add_argument("--null-signals", action="store_true")
    family, rest = parser.parse_known_args()
    if {"-h", "--help"} & set(rest):
        print(__doc__)
    if family.late_rows:
        from benchmarks import late_rows  # noqa: PLC0415 - what is not measured is not loaded

        late_rows.main()
        return
    if family.null_signals:
        from benchmarks import null_signals  # noqa: PLC0415

        null_signals.main(rest)
        return
    if family.family == "reports":
        from benchmarks import reports  # noqa: PLC0415

        reports.main(rest)
        return
    if family.family == "health":
        from benchmarks import measuring  # noqa: PLC0415

        sys.argv[1:] = rest
        measuring.main()
        return
    from benchmarks import families  # noqa: PLC0415

    families.main(sys.argv[1:])


if __name__ == "__main__":
    main()
