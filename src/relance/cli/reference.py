"""`relance settings`: every setting, what it is for and its value now. Secrets are never printed."""

from __future__ import annotations

import typer

from .doors import AsJson, answer_json

SECRET = ("secret_keys", "database_url", "smtp_url", "oidc_client_secret")


def add_commands(app: typer.Typer) -> None:
    app.command()(settings)


def settings(as_json: AsJson = False) -> None:
    """List the settings: environment variable, meaning, value now."""
    rows = setting_rows()
    if as_json:
        answer_json(rows)
        return
    for row in rows:
        print(f"{row['name']} = {row['value']!r}\n    {row['meaning']}")


def setting_rows() -> list[dict[str, str]]:
    """One row a setting: the variable, what it is for, its value now. Secrets are only said to be given or not."""
    from relance.lib.environment import Environment, read_environment

    now = read_environment()
    rows = []
    for name, field in Environment.model_fields.items():
        value = getattr(now, name)
        shown = ("given" if value else "") if name in SECRET else ",".join(value) if isinstance(value, list) else value
        variable = str(field.validation_alias or f"RELANCE_{name.upper()}")
        rows.append(
            {"name": variable, "meaning": field.description or "", "value": str("" if shown is None else shown)}
        )
    return rows
