"""What the environment says, read once by typed readers: an error names the variable, the value and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WORDS = Annotated[list[str], NoDecode]


class Environment(BaseSettings):
    """Every setting of Relance. The description is what `relance settings` and the reference print."""

    model_config = SettingsConfigDict(env_prefix="RELANCE_", env_ignore_empty=True, extra="ignore")

    database_url: str = Field(
        "",
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 to 18 to use instead of the embedded server: postgresql://user:password@host:port/name.",
    )
    home: Path | None = Field(
        None, description="Where data, logs and keys live: ./var in a clone, else the user's data directory."
    )
    secret_keys: WORDS = Field(
        default_factory=list,
        description="Keys that seal secrets and sign sessions, newest first, separated by commas. Without it, RELANCE_HOME/secret.key.",
    )
    hosts: WORDS = Field(
        default_factory=lambda: ["localhost", "127.0.0.1"],
        description="Host names the pages answer to, separated by commas.",
    )
    url: str = Field(
        "", description="The public address, such as https://relance.example.com; it turns secure cookies on."
    )
    siblings: WORDS = Field(
        default_factory=list,
        description="Other workspaces to switch to from the side bar, separated by commas: Name=https://address.",
    )
    proxies: int = Field(
        0,
        ge=0,
        le=10,
        description="Reverse proxies in front of the server that set X-Forwarded-For and X-Forwarded-Proto: 0 when clients reach it directly. With a wrong number, everybody shares one sign-in limit.",
    )
    debug: bool = Field(False, description="Show tracebacks on error pages. Never on a server others can reach.")
    pool_size: int = Field(10, ge=2, le=200, description="Database connections a process keeps at most.")
    smtp_url: str = Field(
        "",
        description="Server for mails about accounts: smtp://user:password@host:port. Without it, mails are written to RELANCE_HOME/mail.",
    )
    mail_from: str = Field("relance@localhost", description="Sender of mails about accounts.")
    oidc_issuer: str = Field(
        "", description="OpenID Connect issuer to sign in with, such as https://login.example.com/realms/acme."
    )
    oidc_client_id: str = Field("", description="Client id given by the OpenID Connect issuer.")
    oidc_client_secret: str = Field("", description="Client secret given by the OpenID Connect issuer.")
    oidc_name: str = Field("Single sign-on", description="What the sign-in button says for the OpenID Connect issuer.")
    allow_private_addresses: bool = Field(
        False,
        description="Let connections reach private addresses: for the sandbox, and for a CRM behind the firewall.",
    )

    @field_validator("secret_keys", "hosts", "siblings", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def read_environment() -> Environment:
    """Read the environment. SystemExit with one line a variable when something cannot be used."""
    try:
        return Environment()
    except ValidationError as error:
        raise SystemExit("\n".join(_complaint(trouble) for trouble in error.errors())) from error


def _complaint(trouble: Any) -> str:
    place = str(trouble["loc"][0])
    name = place if place.isupper() else f"RELANCE_{place.upper()}"
    return f"{name} is {trouble['input']!r}: {trouble['msg'].lower()}. Nothing was started; correct it and start again."
