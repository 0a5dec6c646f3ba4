"""`relance test`: the whole check, in a clone. Every step runs even after one failed, and a summary closes it."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from relance.lib.home import clone

from .doors import AsJson, CannotRun, Exit, answer_json, say

_LOCKS = ("requirements.lock", "requirements-dev.lock")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step of the check ended: ok, failed or skipped, and its closing words."""

    step: str
    ended: str
    seconds: float
    words: str = ""


def add_commands(app: typer.Typer) -> None:
    app.command(context_settings={"ignore_unknown_options": True})(test)


def test(
    what: Annotated[
        list[str] | None, typer.Argument(help="Only these tests, or any words for pytest. Without: the whole check.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the check: style, types, layers, sizes, tests, browser tests, and the rooms on another PostgreSQL."""
    root = clone()
    if root is None:
        raise CannotRun("The check needs a clone of Relance: an installed one has no tests. Nothing was run.")
    with tempfile.TemporaryDirectory(prefix="relance-check-") as home:
        check = Check(root, Path(home))
        outcomes = list(check.tests_only(what)) if what else list(check.everything())
    failed = [outcome.step for outcome in outcomes if outcome.ended == "failed"]
    if as_json:
        answer_json({"ok": not failed, "steps": [asdict(outcome) for outcome in outcomes]})
    else:
        _print_summary(outcomes)
    raise typer.Exit(Exit.SOMEBODY_MUST_ACT if failed else Exit.DONE)


class Check:
    """The steps, in a clone. What a tool says goes to standard error: standard output is the summary's."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home  # not the user's: a check leaves nothing behind

    def everything(self) -> Iterator[Outcome]:
        """Cheap steps first, so that a slip shows at once."""
        yield self._run("style", "ruff", "check", ".")
        yield self._run("format", "ruff", "format", "--check", "--quiet", ".")
        yield self._run("layers", "lint-imports", "--no-logo")
        yield self._locks()
        yield self._run("types", "mypy")
        yield self._run("migrations", "django-admin", "makemigrations", "--check", "--dry-run")
        yield self._sizes()
        yield self._pytest("tests", "-m", "not browser", "-n", "2")
        if self._has_browser():
            # Apart: the browser's driver keeps an event loop for its process, and jobs of the queue need one of their own.
            yield self._pytest("browser tests", "-m", "browser", "-n", "2")
        else:
            yield Outcome("browser tests", "skipped", 0, "no Chromium on this machine (Debian: apt install chromium)")
        yield self._rooms_elsewhere()

    def tests_only(self, words: Sequence[str]) -> Iterator[Outcome]:
        yield self._pytest("tests", *words)

    def _run(self, step: str, program: str, *words: str) -> Outcome:
        began = _announce(step)
        command = [str(Path(sys.executable).parent / program), *words]
        done = subprocess.run(command, cwd=self.root, env=self._environment(), stdout=sys.stderr, check=False)
        return _outcome(step, began, done.returncode == 0)

    def _pytest(self, step: str, *words: str, **variables: str) -> Outcome:
        """pytest's lines pass through as they come; its last one is kept for the summary."""
        began = _announce(step)
        command = [sys.executable, "-m", "pytest", *words]
        last = ""
        with subprocess.Popen(
            command, cwd=self.root, env=self._environment(**variables), stdout=subprocess.PIPE, text=True
        ) as pytest:
            for line in pytest.stdout or ():
                print(line, end="", file=sys.stderr, flush=True)
                last = line.strip() or last
        return _outcome(step, began, pytest.returncode == 0, last)

    def _locks(self) -> Outcome:
        """Where packages were found on one machine must not be written down for all others."""
        began = _announce("locks")
        named = [name for name in _LOCKS if "://" in (self.root / name).read_text()]
        return _outcome("locks", began, not named, f"addresses in {', '.join(named)}" if named else "")

    def _sizes(self) -> Outcome:
        began = _announce("sizes")
        rooms: dict[str, int] = {}
        for file in (self.root / "src" / "relance").rglob("*.py"):
            parts = file.relative_to(self.root / "src" / "relance").parts
            room = parts[0] if len(parts) > 1 else "relance"
            rooms[room] = rooms.get(room, 0) + len(file.read_text().splitlines())
        report = ", ".join(f"{room} {lines}" for room, lines in sorted(rooms.items(), key=lambda pair: -pair[1]))
        say(f"Lines of Python by room: {report}.")
        return _outcome("sizes", began, True, f"{sum(rooms.values())} lines")

    def _has_browser(self) -> bool:
        """Chromium from the system: no download by a test tool. Root may install it, once."""
        if shutil.which("chromium") is None and os.geteuid() == 0 and shutil.which("apt-get"):
            _announce("installing Chromium for the browser tests")
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            for words in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", "chromium"]):
                subprocess.run(["apt-get", *words], env=os.environ | quiet, stdout=sys.stderr, check=False)
        return shutil.which("chromium") is not None

    def _rooms_elsewhere(self) -> Outcome:
        """The rooms once more on a server that is not ours, in a database of the run's own."""
        step = "rooms on another PostgreSQL"
        url = os.environ.get("RELANCE_TEST_DATABASE_URL") or f"postgresql://{quote(getpass.getuser())}@127.0.0.1:5432"
        obstacle = _obstacle_on(url)
        if obstacle:
            return Outcome(step, "skipped", 0, obstacle)
        parts = urlsplit(url)
        own = parts._replace(path=f"/relance_check_{secrets.token_hex(4)}").geturl()
        return self._pytest(step, "tests/rooms", "-n", "2", DATABASE_URL=own)

    def _environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return kept | {"DJANGO_SETTINGS_MODULE": "relance.site.settings", "RELANCE_HOME": str(self.home)} | more


def _obstacle_on(url: str) -> str:
    """Why tests cannot make a database on this server; '' when they can."""
    import psycopg

    shown = urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
    try:
        with psycopg.connect(url, dbname="postgres", connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT rolcreatedb OR rolsuper, current_setting('server_version_num')::int / 10000"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as refused:
        return f"cannot log into {shown}: {str(refused).strip().splitlines()[-1]}"
    may_create, major = row or (False, 0)
    if not 15 <= major <= 18:
        return f"{shown} is PostgreSQL {major}; 15 to 18 are supported"
    return "" if may_create else f"this user may not create databases on {shown}"


def _announce(step: str) -> float:
    say(f"── {step}")
    return time.monotonic()


def _outcome(step: str, began: float, is_ok: bool, words: str = "") -> Outcome:
    return Outcome(step, "ok" if is_ok else "failed", round(time.monotonic() - began, 1), words)


def _print_summary(outcomes: Sequence[Outcome]) -> None:
    print("\nThe check:")
    for outcome in outcomes:
        print(f"  {outcome.ended:8}{outcome.step:30}{outcome.seconds:6.1f} s  {outcome.words.strip('= ')}")
    failed = [outcome.step for outcome in outcomes if outcome.ended == "failed"]
    print(f"Failed: {', '.join(failed)}." if failed else "All is well.", flush=True)
