"""``healthmate-bi version``."""

from __future__ import annotations

import typer

from healthmate_bi_pipeline import __version__


def version() -> None:
    """Say which version this is.

    \b
    Example:
      healthmate-bi version
    """
    typer.echo(f"healthmate-bi {__version__}")
