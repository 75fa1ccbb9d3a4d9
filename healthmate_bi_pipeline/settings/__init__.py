"""All that can be configured, as one frozen value.

Order of precedence: arguments, environment (``HEALTHMATE_…``, two underscores into a section), a ``.env``
is *not* read, ``healthmate.toml`` in the working directory or else in the home, the defaults here.
Secrets are ``SecretStr`` and never print.
"""

from __future__ import annotations

import os
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from healthmate_bi_pipeline.errors import UsageError
from healthmate_bi_pipeline.settings.alerts import AlertSettings, LogSettings, SmtpSettings, WebhookSettings
from healthmate_bi_pipeline.settings.computing import (
    CollectSettings,
    EngineSettings,
    FinanceSettings,
    PerformanceSettings,
    PeriodSettings,
    PlausibilitySettings,
    ReportSettings,
    ServiceLevel,
    SourceSettings,
)
from healthmate_bi_pipeline.settings.operating import (
    KEPT_FOR_EVER,
    CheckSettings,
    LinkSettings,
    LoggingSettings,
    RetentionSettings,
    ScheduleSettings,
    VacuumSettings,
)
from healthmate_bi_pipeline.settings.section import Section, Severity

__all__ = [
    "CONFIG_FILE_NAME",
    "KEPT_FOR_EVER",
    "AlertSettings",
    "CheckSettings",
    "CollectSettings",
    "EngineSettings",
    "FinanceSettings",
    "LinkSettings",
    "LogSettings",
    "LoggingSettings",
    "PerformanceSettings",
    "PeriodSettings",
    "PlausibilitySettings",
    "ReportSettings",
    "RetentionSettings",
    "ScheduleSettings",
    "Section",
    "ServiceLevel",
    "Settings",
    "Severity",
    "SmtpSettings",
    "SourceSettings",
    "VacuumSettings",
    "WebhookSettings",
    "load_settings",
]

CONFIG_FILE_NAME = "healthmate.toml"


class Settings(BaseSettings):
    """Everything that can be configured; see the fields."""

    model_config = SettingsConfigDict(
        env_prefix="HEALTHMATE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
    )

    home: Path = Field(Path(".healthmate"), description="Where everything lies that is not moved elsewhere.")
    database_url: SecretStr | None = Field(None, description="PostgreSQL server; embedded when not set.")
    lake: str | None = Field(
        None, description="Folder or object store of the lake; `<home>/lake` when not set."
    )
    reports: Path | None = Field(None, description="Folder of the reports; `<home>/reports` when not set.")
    start_date: date | None = Field(None, description="The first day; the earliest staged day when not set.")
    engine: EngineSettings = EngineSettings()
    period: PeriodSettings = PeriodSettings()
    source: SourceSettings = SourceSettings()
    plausibility: PlausibilitySettings = PlausibilitySettings()
    report: ReportSettings = ReportSettings()
    links: LinkSettings = LinkSettings()
    logging: LoggingSettings = LoggingSettings()
    performance: PerformanceSettings = PerformanceSettings()
    finance: FinanceSettings = FinanceSettings()
    collect: CollectSettings = CollectSettings()
    checks: CheckSettings = CheckSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    alerts: AlertSettings = AlertSettings()
    retention: RetentionSettings = RetentionSettings()
    vacuum: VacuumSettings = VacuumSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then ``healthmate.toml``."""
        home = Path(os.environ.get("HEALTHMATE_HOME") or ".healthmate")
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(
                settings_cls, toml_file=[home / CONFIG_FILE_NAME, Path(CONFIG_FILE_NAME)]
            ),
        )

    @cached_property
    def home_path(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().resolve()

    def make_home(self) -> None:
        """Make the home's folder where there is none.

        Raises:
            UsageError: it cannot be made there.
        """
        try:
            self.home_path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"The home {self.home_path} cannot be made ({error.strerror}). Set HEALTHMATE_HOME to a folder that"
                " you may write to."
            ) from None

    @property
    def landing_path(self) -> Path:
        """Where files to be read are dropped, one folder a dataset."""
        return self.home_path / "landing"

    @property
    def lake_uri(self) -> str:
        """Where the lake's tables lie: a path or an object store's address."""
        return self.lake or str(self.home_path / "lake")

    @property
    def reports_path(self) -> Path:
        """Where report files are written."""
        return (self.reports or self.home_path / "reports").expanduser().resolve()

    @property
    def dagster_path(self) -> Path:
        """``DAGSTER_HOME``, or the place that the command line gives it."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home_path / "dagster").expanduser().resolve()

    @property
    def postgres_path(self) -> Path:
        """The folder of the embedded server: its data, its log, and the locks of those who use it."""
        return self.home_path / "postgres"

    @property
    def scratch_path(self) -> Path:
        """Where the engine spills what does not fit into memory; may be emptied when nothing runs."""
        return self.home_path / "scratch"


def load_settings(**overrides: Annotated[object, "fields of Settings"]) -> Settings:
    """Read the settings from arguments, environment and file.

    Raises:
        UsageError: a setting is unknown or has a wrong value; the text names each one, and no value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors()
        )
        raise UsageError(f"Settings (environment or {CONFIG_FILE_NAME}) are wrong: {problems}.") from None
    except ValueError as error:  # a TOML file that does not parse
        raise UsageError(f"{CONFIG_FILE_NAME} cannot be read: {error}.") from None
