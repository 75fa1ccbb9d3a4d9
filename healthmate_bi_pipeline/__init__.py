"""HealthMate BI: a health app's raw data, aggregated per hour to year, and reported.

Where to find what: ``domain`` holds the words and the rules, ``catalog`` the declarations, ``sources``,
``lake``, ``transforms``, ``warehouse`` and ``reporting`` one technique each, ``usecases`` the verbs that
join them, ``orchestration`` Dagster, ``cli`` the command line.
"""

__version__ = "0.1.0"
