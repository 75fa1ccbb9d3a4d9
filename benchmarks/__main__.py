"""``python -m benchmarks``: see ``measuring``, which the processes of the parts import by its name."""

from benchmarks.measuring import main

if __name__ == "__main__":
    main()
