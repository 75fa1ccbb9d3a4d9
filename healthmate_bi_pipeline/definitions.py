"""What Dagster loads: the definitions, from the settings of the environment.

Nothing is opened here, and nothing read but the settings and the lake's first day.
"""

import dagster as dg

from healthmate_bi_pipeline.orchestration.automation import build_automation
from healthmate_bi_pipeline.orchestration.build import build_definitions
from healthmate_bi_pipeline.orchestration.logs import write_json
from healthmate_bi_pipeline.settings import load_settings

_settings = load_settings()
if _settings.logging.format == "json":
    write_json()

defs = dg.Definitions.merge(build_definitions(_settings), build_automation(_settings))
