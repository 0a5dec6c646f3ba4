"""Make or renew `.venv` from a lock: `python environment.py requirements.lock`. Standard library only.

Run by the entry script with the system's Python, before any package is there. Two runs at once wait for each other;
one that was cut short is begun again, for a package may be half there.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ENVIRONMENT = HERE / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
UV = ENVIRONMENT / "bin" / "uv"
RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
WRITING = ENVIRONMENT / "writing"  # there while packages are being written
# pip's settings and the variables by which uv takes the same ones.
UV_NAMES = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}

CONSOLE_SCRIPT = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
import sys
from relance.cli.main import main
sys.exit(main())
"""


class InstallationFailed(Exception):
    """Somebody must act: the packages could not be installed."""


def main(lock: str) -> int:
    ENVIRONMENT.mkdir(exist_ok=True)
    with (ENVIRONMENT / "lock").open("w") as door:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another run is making the environment; waiting for it.")
            fcntl.flock(door, fcntl.LOCK_EX)
        # An environment for development stays one, also when a command of the product renews it.
        lock = DEVELOPMENT if (ENVIRONMENT / DEVELOPMENT).exists() else lock
        try:
            make(lock)
        except (InstallationFailed, OSError) as failed:
            say(f"The environment is not complete: {failed}\nNothing else was touched; the same command tries again.")
            return 2
        except KeyboardInterrupt:
            say("Interrupted; the same command begins again.")
            return 130
    return 0


def make(lock: str) -> None:
    """1. an empty environment if there is none that can be used; 2. the packages; 3. our own code; 4. the proof."""
    make_venv()
    if not is_equal(lock):
        WRITING.touch()
        for name in (RUNTIME, DEVELOPMENT):
            (ENVIRONMENT / name).unlink(missing_ok=True)
        install(lock)
        WRITING.unlink()
    point_at_our_code()
    # Last: whoever finds these equal to the locks finds everything above done.
    for name in (RUNTIME, DEVELOPMENT) if lock == DEVELOPMENT else (RUNTIME,):
        replace(ENVIRONMENT / name, (HERE / name).read_text())


def make_venv() -> None:
    if WRITING.exists() or not can_be_used():
        for path in ENVIRONMENT.iterdir():
            if path.name == "lock":
                continue  # we hold it
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if not PYTHON.exists():
        say(f"Making the environment in {ENVIRONMENT} with Python {sys.version.split()[0]}.")
        WRITING.touch()
        venv.EnvBuilder(with_pip=True, symlinks=True).create(ENVIRONMENT)
        WRITING.unlink()


def can_be_used() -> bool:
    """False when the Python it was made with is gone or has become another one."""
    try:
        return subprocess.run([PYTHON, "-I", "-c", "import pip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def is_equal(lock: str) -> bool:
    return digest(HERE / lock) == digest(ENVIRONMENT / lock)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def install(lock: str) -> None:
    began = time.monotonic()
    say(f"Installing the packages of {lock} (about half a minute the first time).")
    if lock == DEVELOPMENT and not UV.exists():
        install_uv()
    if not (UV.exists() and install_with_uv(lock)):
        install_with_pip(HERE / lock, wheels_only=lock == RUNTIME)
    say(f"Installed in {time.monotonic() - began:.0f} s.")


def install_uv() -> None:
    """uv alone first, by pip and with its own lines of the lock: it then installs the rest ten times faster."""
    lines = (HERE / DEVELOPMENT).read_text().splitlines()
    begins = next((number for number, line in enumerate(lines) if line.startswith("uv==")), None)
    if begins is None:
        return
    ends = next((n for n in range(begins + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as alone:
        alone.write("\n".join(lines[begins:ends]) + "\n")
        alone.flush()
        install_with_pip(Path(alone.name), wheels_only=True)


def install_with_uv(lock: str) -> bool:
    command: list[str | Path] = [UV, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
    command += ["--python", PYTHON, *(["--only-binary", ":all:"] if lock == RUNTIME else []), HERE / lock]
    # uv without the sources pip is told to use may find nothing: pip then tries itself.
    done = run(command, uv_variables())
    return done.returncode == 0


def uv_variables() -> dict[str, str]:
    """Where pip looks for packages, told to uv; nothing of it is written into a lock."""
    told = dict(os.environ)
    answer = run([PYTHON, "-m", "pip", "config", "list"], told)
    for line in answer.stdout.splitlines():
        key, _equals, value = line.partition("=")
        name = UV_NAMES.get(key.lstrip(":").rpartition(".")[2])
        if name and name not in told:
            told[name] = value.strip("'\"").replace("\\n", " ").replace(" ", "," if name == "UV_FIND_LINKS" else " ")
    return told


def install_with_pip(lock: Path, *, wheels_only: bool) -> None:
    command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--require-hashes"]
    # A missing wheel fails at once instead of compiling for minutes with tools that may not be there.
    command += ["--only-binary", ":all:"] if wheels_only else []
    done = run([*command, "-r", lock], dict(os.environ))
    if done.returncode != 0:
        raise InstallationFailed(f"pip said:\n{done.stderr.strip()[-3000:]}")


def run(command: Sequence[str | Path], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run quietly, and say now and then that it goes on."""
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    ) as process:
        began = time.monotonic()
        while True:
            try:
                out, errors = process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                say(f"… still installing, {time.monotonic() - began:.0f} s")
            except BaseException:
                process.terminate()
                raise
            else:
                return subprocess.CompletedProcess(command, process.returncode, out, errors)


def point_at_our_code() -> None:
    """No build: the environment looks into `src`, and `relance` is a script of three lines."""
    question = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
    packages = Path(json.loads(run([PYTHON, "-I", "-c", question], dict(os.environ)).stdout))
    replace(packages / "relance.pth", f"{HERE / 'src'}\n")
    # Through sh, because the path of a clone may be longer, or hold more blanks, than a first line takes.
    quoted = "'" + str(PYTHON).replace("'", "'\"'\"'") + "'"
    script = ENVIRONMENT / "bin" / "relance"
    replace(script, CONSOLE_SCRIPT.format(python=quoted))
    script.chmod(0o755)
    replace(ENVIRONMENT / "place", f"{HERE}\n")


def replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    fresh.replace(path)


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
