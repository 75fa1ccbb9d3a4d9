"""The figures of the README, each made by a command: ``make bench``."""
