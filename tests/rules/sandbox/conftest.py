"""Orgs without listeners: the demo's Hexalis, the tree of every kind, a clock that obeys the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relance.sandbox.outcomes import Caller, Permissions, SaveResult
from relance.sandbox.records import Records
from relance.sandbox.schema import OrgSchema
from relance.sandbox.seed import Seeded, seed_org
from relance.sandbox.store import Store
from relance.sandbox.tree import read_tree

HEXALIS = Path(__file__).parents[3] / "src" / "relance" / "sandbox" / "data" / "hexalis"
ORGS = Path(__file__).parents[2] / "orgs"
MONDAY = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)


@dataclass
class Clock:
    """Time passes only when told to."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Bench:
    """An org on the bench: its door, its schema, and the user who may do all."""

    records: Records
    seeded: Seeded
    clock: Clock

    @property
    def schema(self) -> OrgSchema:
        return self.records.schema

    @property
    def admin(self) -> Caller:
        return Caller(self.seeded.user_id, all_rights=True)

    def user(self, name: str = "Denis", active: bool = True) -> str:
        """One more user; returns the id."""
        profile = self.one('SELECT "Id" FROM "Profile" WHERE "Name" = \'Standard User\'')
        saved = self.records.insert(
            self.admin,
            "User",
            {
                "Username": f"{name.lower()}@bench.example",
                "LastName": name,
                "Email": f"{name.lower()}@bench.example",
                "Alias": name[:8],
                "CommunityNickname": name,
                "ProfileId": profile,
                "IsActive": active,
            },
        )
        return kept(saved)

    def guest(self, *names: str) -> Caller:
        """A user with the rights of these profiles and permission sets, and no other."""
        sets = [each for each in self.schema.permission_sets if each.name in names]
        assert len(sets) == len(names)
        return Caller(self.user("Invite"), permissions=Permissions.of(self.schema, sets))

    def lead(self, **values: object) -> str:
        return kept(self.records.insert(self.admin, "Lead", {"LastName": "Aline", "Company": "Vernier", **values}))

    def row(self, object_name: str, record_id: str) -> dict[str, object]:
        found = self.records.read(self.admin, object_name, record_id)
        assert found is not None
        return found

    def one(self, sql: str, *arguments: object) -> str:
        return str(self.records.store.connection().execute(sql, arguments).fetchone()[0])


def kept(saved: SaveResult | list[str]) -> str:
    """The id of a record that was kept."""
    assert isinstance(saved, SaveResult)
    assert saved.success, saved.errors
    assert saved.id is not None
    return saved.id


def told(saved: SaveResult | list[str]) -> tuple[str, str, tuple[str, ...]]:
    """What the client is told of the one thing that is wrong: code, message, fields."""
    assert isinstance(saved, SaveResult)
    assert not saved.success
    assert len(saved.errors) == 1, saved.errors
    error = saved.errors[0]
    return error.code, error.message, error.fields


@pytest.fixture
def stand_up(tmp_path: Path) -> Callable[..., Bench]:
    def make(tree: Path, data: Path | None = None) -> Bench:
        clock = Clock()
        schema = read_tree(tree)
        records = Records(Store(tmp_path / "org.sqlite3", schema), schema, clock)
        return Bench(records, seed_org(records, data), clock)

    return make


@pytest.fixture
def hexalis(stand_up: Callable[..., Bench]) -> Bench:
    """The demo's org without its people."""
    return stand_up(HEXALIS)


@pytest.fixture
def complete(stand_up: Callable[..., Bench]) -> Bench:
    """The org of tests/orgs/complete: every kind of metadata, every type of field."""
    return stand_up(ORGS / "complete")
