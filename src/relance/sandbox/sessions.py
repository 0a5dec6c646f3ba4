"""Apps, sessions and grants of an org, kept in its store: a token given before a restart is good after it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from relance.sandbox.soql_dates import read_moment, stamp
from relance.sandbox.store import Store

TABLES = (
    """CREATE TABLE IF NOT EXISTS _app (client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL, run_as TEXT NOT NULL,
       public_key TEXT NOT NULL DEFAULT '')""",
    """CREATE TABLE IF NOT EXISTS _session (token TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL,
       issued_at TEXT NOT NULL, used_at TEXT NOT NULL, lasts_seconds INTEGER, refresh_token TEXT)""",
    """CREATE TABLE IF NOT EXISTS _grant (refresh_token TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL,
       issued_at TEXT NOT NULL)""",
)
LIFE = timedelta(hours=2)
SLIDES_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class App:
    client_id: str
    client_secret: str
    run_as: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Session:
    """`lasts` is how long it lives without being used; None is for ever."""

    token: str
    user_id: str
    client_id: str
    issued_at: datetime
    used_at: datetime
    lasts: timedelta | None

    def is_over(self, now: datetime) -> bool:
        return self.lasts is not None and now > self.used_at + self.lasts

    def ends_at(self) -> datetime | None:
        return None if self.lasts is None else self.used_at + self.lasts


@dataclass(frozen=True, slots=True)
class Grant:
    refresh_token: str
    user_id: str
    client_id: str


class Sessions:
    def __init__(self, store: Store, org_id: str) -> None:
        self.store = store
        self.org_id = org_id
        with store.writing() as connection:
            for table in TABLES:
                connection.execute(table)

    def app(self, client_id: str) -> App | None:
        row = self.store.connection().execute("SELECT * FROM _app WHERE client_id = ?", (client_id,)).fetchone()
        return App(row["client_id"], row["client_secret"], row["run_as"], row["public_key"]) if row else None

    def keep_app(self, app: App) -> None:
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO _app (client_id, client_secret, run_as, public_key) VALUES (?, ?, ?, ?) ON CONFLICT (client_id)"
                " DO UPDATE SET client_secret = excluded.client_secret, run_as = excluded.run_as, public_key = excluded.public_key",
                (app.client_id, app.client_secret, app.run_as, app.public_key),
            )

    def open(self, user_id: str, client_id: str, now: datetime, *, refresh_token: str | None = None) -> Session:
        """A new session. It lives two hours from its last use, as an org's default policy has it."""
        session = Session(new_token(self.org_id), user_id, client_id, now, now, LIFE)
        self._insert(session, refresh_token)
        return session

    def keep_fixed(self, token: str, user_id: str, client_id: str, now: datetime) -> None:
        """The session `sandbox start` announces: it never ends by itself."""
        self._insert(Session(token, user_id, client_id, now, now, None), None)

    def grant(self, user_id: str, client_id: str, now: datetime) -> str:
        refresh_token = "5Aep861" + secrets.token_urlsafe(48)
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO _grant (refresh_token, user_id, client_id, issued_at) VALUES (?, ?, ?, ?)",
                (refresh_token, user_id, client_id, stamp(now)),
            )
        return refresh_token

    def find_grant(self, refresh_token: str) -> Grant | None:
        row = (
            self.store.connection().execute("SELECT * FROM _grant WHERE refresh_token = ?", (refresh_token,)).fetchone()
        )
        return Grant(row["refresh_token"], row["user_id"], row["client_id"]) if row else None

    def find(self, token: str, now: datetime) -> Session | None:
        """The living session of a token. Its life slides with use, written down now and then rather than at each call."""
        row = self.store.connection().execute("SELECT * FROM _session WHERE token = ?", (token,)).fetchone()
        if row is None:
            return None
        lasts = None if row["lasts_seconds"] is None else timedelta(seconds=row["lasts_seconds"])
        session = Session(
            row["token"],
            row["user_id"],
            row["client_id"],
            read_moment(row["issued_at"]),
            read_moment(row["used_at"]),
            lasts,
        )
        if session.is_over(now):
            return None
        if lasts is not None and now > session.used_at + SLIDES_AFTER:
            with self.store.writing() as connection:
                connection.execute("UPDATE _session SET used_at = ? WHERE token = ?", (stamp(now), token))
        return session

    def end(self, token: str) -> None:
        with self.store.writing() as connection:
            connection.execute("DELETE FROM _session WHERE token = ?", (token,))

    def revoke(self, token: str) -> bool:
        """A session, or a grant with every session it gave."""
        with self.store.writing() as connection:
            ended = connection.execute("DELETE FROM _session WHERE token = ?1 OR refresh_token = ?1", (token,)).rowcount
            ended += connection.execute("DELETE FROM _grant WHERE refresh_token = ?", (token,)).rowcount
        return ended > 0

    def _insert(self, session: Session, refresh_token: str | None) -> None:
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO _session (token, user_id, client_id, issued_at, used_at, lasts_seconds, refresh_token)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
                (
                    session.token,
                    session.user_id,
                    session.client_id,
                    stamp(session.issued_at),
                    stamp(session.used_at),
                    None if session.lasts is None else int(session.lasts.total_seconds()),
                    refresh_token,
                ),
            )


def new_token(org_id: str) -> str:
    """As the real ones look: the short id of the org, a bang, and nothing to guess."""
    return f"{org_id[:15]}!AQ{secrets.token_urlsafe(72)}"
