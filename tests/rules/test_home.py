"""The home: named, a clone's, or the user's; for root never where PostgreSQL's user cannot go, and nothing is opened for it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from relance.lib.home import (
    HomeUnusable,
    choose_home,
    clone,
    closed_directory,
    home_as_asked,
    make_home,
    relance_home,
    system_home,
)
from tests.stories.processes import a_home

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place() -> Iterator[Path]:
    with a_home() as home:
        yield home.parent


@pytest.fixture(autouse=True)
def our_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def choose(monkeypatch: pytest.MonkeyPatch, home: Path) -> tuple[Path, list[str]]:
    said: list[str] = []
    monkeypatch.setenv("RELANCE_HOME", str(home))
    return choose_home(say=said.append), said


def test_the_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    assert choose(monkeypatch, place / "here") == (place / "here", [])


def test_a_clone_keeps_its_data_beside_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELANCE_HOME", raising=False)
    root = clone()

    assert root is not None
    if closed_directory(root / "var") is None:
        assert choose_home(say=print) == root / "var"


@root_only
def test_a_home_under_a_closed_directory_moves_and_says_so_and_opens_nothing(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    (place / "closed").mkdir(mode=0o700)
    wanted = place / "closed" / "relance"

    home, said = choose(monkeypatch, wanted)

    assert home == system_home(wanted) != system_home(place / "another")
    assert str(place / "closed") in said[0]
    assert str(home) in said[0]
    assert mode(place / "closed") == 0o700


@root_only
def test_a_home_stays_where_it_was_asked_for_when_its_database_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    (place / "closed").mkdir(mode=0o700)
    wanted = place / "closed" / "relance"
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/relance")

    assert choose(monkeypatch, wanted) == (wanted, [])
    assert home_as_asked() == wanted


@root_only
def test_an_empty_directory_given_as_home_lets_postgresql_pass_and_nobody_look(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    (place / "given").mkdir(mode=0o700)

    home, said = choose(monkeypatch, place / "given")
    make_home(home)

    assert (home, said) == (place / "given", [])
    assert mode(home) == 0o711
    assert mode(home / "run") == mode(home / "log") == 0o700


@root_only
def test_a_full_closed_directory_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    (place / "full").mkdir(mode=0o700)
    (place / "full" / "letter").touch()

    home, _said = choose(monkeypatch, place / "full")

    assert home == system_home(place / "full")
    assert mode(place / "full") == 0o700


@root_only
def test_data_that_can_no_longer_be_reached_is_not_replaced_by_an_empty_database(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    (place / "shut" / "home" / "postgres" / "data").mkdir(parents=True)
    (place / "shut").chmod(0o700)

    with pytest.raises(HomeUnusable, match="chmod"):
        choose(monkeypatch, place / "shut" / "home")


def test_a_narrow_umask_does_not_close_a_home_made_here(place: Path) -> None:
    before = os.umask(0o077)
    try:
        home = make_home(place / "new" / "home")
    finally:
        os.umask(before)

    assert closed_directory(home) is None or os.geteuid() != 0
    assert mode(home / "run") == 0o700


def test_what_a_process_starts_finds_the_same_home(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("RELANCE_HOME", str(place / "home"))

    assert str(relance_home()) == os.environ["RELANCE_HOME"]
