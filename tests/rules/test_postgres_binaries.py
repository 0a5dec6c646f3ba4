"""PostgreSQL's programs are found where somebody named them, in the packages, or not without saying where one looked."""

from pathlib import Path

import pytest

from relance.lib.postgres_binaries import NoPostgres, choose_binaries, find_binaries, find_client, inspect_bin


def a_postgres(directory: Path, version: str) -> Path:
    """A directory that looks like an installation of this version."""
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb", "pg_dump"):
        (directory / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version} (Some 1 build)'\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def nothing_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")


def test_a_named_directory_wins_over_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = a_postgres(tmp_path / "bin", "16.9")
    monkeypatch.setenv("RELANCE_PG_BIN", str(named))

    assert find_binaries() == named
    assert choose_binaries().version == "16.9"


def test_a_named_directory_without_postgresql_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RELANCE_PG_BIN", str(tmp_path))

    with pytest.raises(NoPostgres, match="RELANCE_PG_BIN is"):
        find_binaries()


def test_a_version_that_relance_does_not_know_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RELANCE_PG_BIN", str(a_postgres(tmp_path / "bin", "14.2")))

    assert choose_binaries().major >= 15


def test_data_of_an_older_version_is_opened_by_programs_of_that_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    named = a_postgres(tmp_path / "bin", "17.6")
    monkeypatch.setenv("RELANCE_PG_BIN", str(named))

    assert choose_binaries(17).bin == named
    assert choose_binaries(18).bin != named


@pytest.mark.usefixtures("nothing_on_the_path")
def test_data_that_no_program_here_can_open_is_left_alone_with_the_versions_seen() -> None:
    with pytest.raises(NoPostgres, match=r"PostgreSQL 12 was not found.*DATABASE_URL"):
        choose_binaries(12)


def test_a_client_is_never_older_than_its_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(a_postgres(tmp_path / "old", "15.1")))

    assert find_client("pg_dump", major=15) == tmp_path / "old" / "pg_dump"
    assert find_client("pg_dump", major=18) != tmp_path / "old" / "pg_dump"


def test_a_directory_with_a_broken_postgres_holds_none(tmp_path: Path) -> None:
    broken = a_postgres(tmp_path / "bin", "18.1")
    (broken / "postgres").write_text("#!/bin/sh\nexit 127\n")

    assert inspect_bin(broken) is None
