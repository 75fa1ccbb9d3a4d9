"""The files of ``deploy/`` say what the code knows: they are tried by hand, and this keeps them from falling behind."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from healthmate_bi_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
OWN = re.compile(r"\bHEALTHMATE_[A-Z_]+\b")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


def _setting_names(model: type[BaseModel], prefix: str = "HEALTHMATE_") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(prefix + name.upper())
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= _setting_names(field.annotation, f"{prefix}{name.upper()}__")
    return found


@pytest.mark.parametrize("name", ["compose.yaml", "helm-values.yaml", "Dockerfile"])
def test_variables_are_settings(name: str) -> None:
    used = set(OWN.findall((DEPLOY / name).read_text())) - {"HEALTHMATE_ALERTS__"}  # in a comment
    assert used
    assert used - _setting_names(Settings) == set()


def test_the_example_of_settings_is_valid() -> None:
    Settings(**tomllib.loads((DEPLOY / "healthmate.example.toml").read_text()))


def test_every_service_has_a_health_check_and_only_the_proxy_a_port(
    services: dict[str, dict[str, Any]],
) -> None:
    assert [name for name, service in services.items() if "healthcheck" not in service] == []
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["proxy"]["volumes"] == [
        "./Caddyfile:/etc/caddy/Caddyfile:ro",
        "reports:/srv/reports:ro",
        "certificates:/data/caddy",
    ]


def test_services_start_programs_that_are_installed(services: dict[str, dict[str, Any]]) -> None:
    commands = {name: service["command"] for name, service in services.items() if "command" in service}
    assert set(commands) == {"code", "webserver", "webserver_read_only", "daemon"}
    scripts = {script.name for script in entry_points(group="console_scripts")}
    assert {command[0] for command in commands.values()} <= scripts
    assert "--read-only" in commands["webserver_read_only"]
    assert "--read-only" not in commands["webserver"]


def test_no_secret_stands_in_a_file(services: dict[str, dict[str, Any]]) -> None:
    example = (DEPLOY / "env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in example if "=" in line and not line.startswith("#"))
    assert {name: given[name] for name in ("POSTGRES_PASSWORD", "ENGINEER_HASH", "ANALYST_HASH")} == {
        "POSTGRES_PASSWORD": "",
        "ENGINEER_HASH": "",
        "ANALYST_HASH": "",
    }
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
