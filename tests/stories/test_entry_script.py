"""The entry script: it makes the environment once per lock, survives what interrupts it, and keeps standard output clean."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from relance.lib.home import clone
from tests.stories.processes import a_home

ROOT = clone()
pytestmark = pytest.mark.skipif(ROOT is None, reason="an installed Relance has no entry script")
MAIN = "import sys\ndef main():\n    print('ran', *sys.argv[1:])\n    return 3\n"


@pytest.fixture
def a_clone() -> Iterator[Path]:
    """A clone with the real scripts, no packages to install, and a command that tells its arguments."""
    with a_home("a clone") as place:
        place.mkdir()
        assert ROOT is not None
        shutil.copy(ROOT / "relance", place)
        (place / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "environment.py", place / "scripts")
        (place / "src" / "relance" / "cli").mkdir(parents=True)
        (place / "src" / "relance" / "cli" / "main.py").write_text(MAIN)
        for lock in ("requirements.lock", "requirements-dev.lock"):
            (place / lock).write_text("# nothing\n")
        yield place


def relance(place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [place / "relance", *words], env=os.environ | variables, capture_output=True, text=True, check=False
    )


def test_the_first_run_makes_the_environment_and_the_next_ones_go_straight_to_the_command(a_clone: Path) -> None:
    first = relance(a_clone, "person", "a b", "--json")
    second = relance(a_clone, "person", "a b", "--json")

    assert (first.stdout, first.returncode) == ("ran person a b --json\n", 3), first.stderr
    assert "Making the environment" in first.stderr
    assert (second.stdout, second.stderr, second.returncode) == ("ran person a b --json\n", "", 3)


def test_another_lock_is_installed_and_an_interrupted_installation_is_begun_again(a_clone: Path) -> None:
    assert relance(a_clone, "setup").returncode == 0
    (a_clone / "requirements.lock").write_text("# nothing else\n")
    assert "Installing" in relance(a_clone, "setup").stderr

    (a_clone / ".venv" / "writing").touch()  # as a killed installation leaves it
    (a_clone / ".venv" / "requirements.lock").unlink()
    (a_clone / ".venv" / "half a package").mkdir()
    again = relance(a_clone, "x")

    assert again.stdout == "ran x\n"
    assert not (a_clone / ".venv" / "half a package").exists()


def test_a_lock_that_cannot_be_installed_leaves_no_command_and_exit_code_2(a_clone: Path) -> None:
    (a_clone / "requirements.lock").write_text("nothing-of-this-name==1.0 --hash=sha256:" + "0" * 64 + "\n")

    failed = relance(a_clone, "x", PIP_NO_INDEX="1", PIP_FIND_LINKS="/nonexistent")

    assert (failed.stdout, failed.returncode) == ("", 2)
    assert "nothing-of-this-name" in failed.stderr


def test_two_runs_at_once_make_one_environment(a_clone: Path) -> None:
    runs = [
        subprocess.Popen([a_clone / "relance", "x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [run.communicate() for run in runs]

    assert [out for out, _said in answers] == ["ran x\n", "ran x\n"]
    assert sum("Making the environment" in said for _out, said in answers) == 1


def test_a_clone_may_be_moved_and_called_by_a_link(a_clone: Path) -> None:
    assert relance(a_clone, "setup").returncode == 0
    moved = a_clone.rename(a_clone.parent / "moved 'clone'")
    link = moved.parent / "relance"
    link.symlink_to(moved / "relance")

    answer = subprocess.run([link, "x"], capture_output=True, text=True, check=False)

    assert (answer.stdout, answer.returncode) == ("ran x\n", 3), answer.stderr


def test_without_a_python_that_is_new_enough_it_says_so_and_does_nothing(a_clone: Path, tmp_path: Path) -> None:
    for tool in ("dirname", "readlink", "cmp", "cat", "sh"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)

    answer = relance(a_clone, "x", PATH=str(tmp_path))

    assert answer.returncode == 2
    assert "Python 3.11 or newer" in answer.stderr
    assert not (a_clone / ".venv").exists()
