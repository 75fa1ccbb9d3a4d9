"""Dagster, by its concepts: instance, partitions, assets, checks, jobs, schedules, sensors, and running them.

What is made is said in ``usecases/graph``; here it is only given to Dagster. No module here may have
``from __future__ import annotations``: Dagster reads the types of an asset's arguments.
"""
