"""Apps, sessions and grants of an org, kept in its store: a token given before a restart is good after it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, fields
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
    """CREATE TABLE IF NOT EXISTS _code (code TEXT PRIMARY KEY, client_id TEXT NOT NULL, user_id TEXT NOT NULL, redirect_uri TEXT NOT NULL,
       challenge TEXT NOT NULL, scope TEXT NOT NULL, ends_at TEXT NOT NULL)""",
)
LATER_COLUMNS = (
    ("_app", "redirect_uris", "TEXT NOT NULL DEFAULT ''"),
    ("_grant", "scope", "TEXT NOT NULL DEFAULT 'api refresh_token'"),
    ("_grant", "family", "TEXT NOT NULL DEFAULT ''"),
    ("_grant", "replaced_at", "TEXT"),
)
SLIDES_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class App:
    client_id: str
    client_secret: str
    run_as: str
    public_key: str
    redirect_uris: str = ""  # separated by blanks; none means any


@dataclass(frozen=True, slots=True)
class Code:
    """What a consent is worth until it is redeemed."""

    client_id: str
    user_id: str
    redirect_uri: str
    challenge: str
    scope: str
    ends_at: str


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
    """`family` is the first refresh token of those that replaced each other."""

    refresh_token: str
    user_id: str
    client_id: str
    scope: str
    family: str
    is_replaced: bool


class Sessions:
    """`lasts` says how long a session lives without being used, as the org is set now."""

    def __init__(self, store: Store, org_id: str, lasts: Callable[[], timedelta]) -> None:
        self.store = store
        self.org_id = org_id
        self.lasts = lasts
        with store.writing() as connection:
            for table in TABLES:
                connection.execute(table)
            for table, name, kind in LATER_COLUMNS:
                if name not in {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")

    def app(self, client_id: str) -> App | None:
        row = self.store.connection().execute("SELECT * FROM _app WHERE client_id = ?", (client_id,)).fetchone()
        return App(*(row[each.name] for each in fields(App))) if row else None

    def keep_app(self, app: App) -> None:
        with self.store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO _app (client_id, client_secret, run_as, public_key, redirect_uris) VALUES (?, ?, ?, ?, ?)",
                (app.client_id, app.client_secret, app.run_as, app.public_key, app.redirect_uris),
            )

    def keep_code(self, code: Code) -> str:
        text = "aPrx" + secrets.token_urlsafe(40)
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO _code (code, client_id, user_id, redirect_uri, challenge, scope, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (text, code.client_id, code.user_id, code.redirect_uri, code.challenge, code.scope, code.ends_at),
            )
        return text

    def take_code(self, text: str) -> Code | None:
        """The code, gone once taken."""
        with self.store.writing() as connection:
            row = connection.execute("DELETE FROM _code WHERE code = ? RETURNING *", (text,)).fetchone()
        return Code(*(row[each.name] for each in fields(Code))) if row else None

    def open(self, user_id: str, client_id: str, now: datetime, *, refresh_token: str | None = None) -> Session:
        """A new session. `refresh_token`: the first of the grant it comes from, with which it ends."""
        session = Session(new_token(self.org_id), user_id, client_id, now, now, self.lasts())
        self._insert(session, refresh_token)
        return session

    def keep_fixed(self, token: str, user_id: str, client_id: str, now: datetime) -> None:
        """The session `sandbox start` announces: it never ends by itself."""
        self._insert(Session(token, user_id, client_id, now, now, None), None)

    def grant(
        self, user_id: str, client_id: str, now: datetime, *, scope: str = "api refresh_token", family: str = ""
    ) -> str:
        refresh_token = "5Aep861" + secrets.token_urlsafe(48)
        with self.store.writing() as connection:
            connection.execute(
                "INSERT INTO _grant (refresh_token, user_id, client_id, issued_at, scope, family) VALUES (?, ?, ?, ?, ?, ?)",
                (refresh_token, user_id, client_id, stamp(now), scope, family or refresh_token),
            )
        return refresh_token

    def find_grant(self, refresh_token: str) -> Grant | None:
        row = (
            self.store.connection().execute("SELECT * FROM _grant WHERE refresh_token = ?", (refresh_token,)).fetchone()
        )
        if row is None:
            return None
        family = row["family"] or row["refresh_token"]
        return Grant(
            refresh_token, row["user_id"], row["client_id"], row["scope"], family, row["replaced_at"] is not None
        )

    def rotate(self, grant: Grant, now: datetime) -> str:
        """A new refresh token in the place of this one, which must not be shown again."""
        with self.store.writing() as connection:
            connection.execute(
                "UPDATE _grant SET replaced_at = ? WHERE refresh_token = ?", (stamp(now), grant.refresh_token)
            )
            return self.grant(grant.user_id, grant.client_id, now, scope=grant.scope, family=grant.family)

    def revoke_family(self, grant: Grant) -> None:
        """All the tokens that came of one consent: somebody showed one that had been replaced."""
        with self.store.writing() as connection:
            connection.execute("DELETE FROM _grant WHERE family = ?1 OR refresh_token = ?1", (grant.family,))
            connection.execute("DELETE FROM _session WHERE refresh_token = ?", (grant.family,))

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
        if lasts is not None and now > session.used_at + min(SLIDES_AFTER, lasts / 4):
            with self.store.writing() as connection:
                connection.execute("UPDATE _session SET used_at = ? WHERE token = ?", (stamp(now), token))
        return session

    def end(self, token: str) -> None:
        with self.store.writing() as connection:
            connection.execute("DELETE FROM _session WHERE token = ?", (token,))

    def revoke(self, token: str) -> bool:
        """A session, or a grant with every session it gave."""
        grant = self.find_grant(token)
        if grant is not None:
            self.revoke_family(grant)
            return True
        with self.store.writing() as connection:
            return connection.execute("DELETE FROM _session WHERE token = ?", (token,)).rowcount > 0

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
