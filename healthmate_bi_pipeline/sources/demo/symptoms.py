"""``symptom_logs`` of the demo: now and then, and several a day with an infection."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from healthmate_bi_pipeline.sources.demo import devices
from healthmate_bi_pipeline.sources.demo.rows import Clock, DemoRows, FileStyle, Format, instants, same
from healthmate_bi_pipeline.sources.demo.world import World, joined_rows

DIARY = FileStyle("symptom_logs", "diary", Format.NDJSON_ZSTD, Clock.LOCAL_WITH_OFFSET, has_updated_at=True)

_SYMPTOMS = (  # name, share of the days with a symptom, share of the days of an infection, usual severity
    ("headache", 0.45, 0.35, 4.0),
    ("fatigue", 0.4, 0.5, 4.5),
    ("back pain", 0.3, 0.05, 4.0),
    ("cough", 0.06, 0.55, 4.5),
    ("sore throat", 0.04, 0.35, 4.0),
    ("dizziness", 0.12, 0.1, 3.0),
    ("nausea", 0.1, 0.12, 3.5),
    ("joint pain", 0.2, 0.15, 4.5),
)


def symptoms(world: World) -> DemoRows:
    """What people felt and wrote down."""
    rng, habits, people = world.block.rng("symptoms"), world.habits, world.people
    keenness = (0.3 + 0.7 * people.interest)[:, None]
    felt_at, tables = [], []
    for name, usual, infection, level in _SYMPTOMS:
        share = np.where(habits.is_ill, infection, usual * people.symptom_share[:, None])
        felt = habits.has_data & (rng.random(world.block.shape) < share * keenness)
        at = world.moments(felt, np.round(rng.uniform(7, 22.5, felt.shape) * 60) / 60)
        severity = np.round(np.clip(rng.normal(level + habits.is_ill[at.person, at.day], 1.6), 0, 10))
        felt_at.append(at)
        tables.append(
            pa.table(
                {
                    "user_id": pa.array(world.users_of(at.person)),
                    "symptom": same(name, len(at)),
                    "severity": pa.array(severity, pa.float64()),
                    "recorded_at": instants(at.utc),
                    "source": same(devices.APP, len(at)),
                }
            )
        )
    return joined_rows(DIARY, felt_at, tables)
