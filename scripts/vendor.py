#!/usr/bin/env python3
"""Bring in the few front-end files we did not write, and say exactly which they are.

Run by a maintainer, never by the installed product: `scripts/vendor.py` packs each package with npm, compares it with the
sha512 pinned in the manifest, copies the listed files with their licence, and draws the icon sprite.
A new version is a changed line in `PACKAGES` and `scripts/vendor.py --accept`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "src/relance/web/static"
VENDOR = STATIC / "vendor"
ICON_LIST = ROOT / "scripts/icons.txt"


@dataclass(frozen=True)
class Package:
    """What we take from one npm package; `folder` is where it lands under static/vendor/."""

    name: str
    version: str
    licence: str
    folder: str
    files: tuple[str, ...]


TABLER = Package("@tabler/icons", "3.51.0", "MIT", "tabler-icons-3.51.0", ("LICENSE",))
PACKAGES = (
    Package("htmx.org", "2.0.11", "0BSD", "htmx-2.0.11", ("LICENSE", "dist/htmx.min.js")),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        "inter-5.3.0",
        ("LICENSE", "files/inter-latin-opsz-normal.woff2", "files/inter-latin-ext-opsz-normal.woff2"),
    ),
    TABLER,
)


def pack(package: Package, into: Path) -> Path:
    """The package's archive, as npm's own client fetched it."""
    done = subprocess.run(
        ["npm", "pack", f"{package.name}@{package.version}", "--silent"],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    return into / done.stdout.strip().splitlines()[-1]


def sha512(archive: Path) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()


def copy_files(package: Package, archive: Path) -> None:
    target = VENDOR / package.folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(archive) as opened:
        for name in package.files:
            member = opened.extractfile(f"package/{name}")
            if member is None:
                sys.exit(f"{package.name} {package.version} no longer holds {name}: look for its new name.")
            (target / Path(name).name).write_bytes(member.read())


def draw_sprite(archive: Path) -> None:
    """One symbol per name in icons.txt; the outline drawings, stripped to their paths."""
    symbols = []
    with tarfile.open(archive) as opened:
        for name in ICON_LIST.read_text().split():
            try:
                member = opened.extractfile(f"package/icons/outline/{name}.svg")
            except KeyError:
                sys.exit(f"Tabler has no icon named {name}: correct scripts/icons.txt.")
            drawing = member.read().decode() if member else ""
            paths = " ".join(re.findall(r'<path d="[^"]*" ?/>', drawing))
            symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{paths}</symbol>')
    sprite = "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])
    (STATIC / "relance/icons.svg").write_text(sprite)


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument(
        "--accept", action="store_true", help="write new sums instead of refusing archives that changed"
    )
    accept = reading.parse_args().accept
    manifest = VENDOR / "manifest.json"
    pinned = {row["name"]: row for row in json.loads(manifest.read_text())} if manifest.exists() else {}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            archive = pack(package, Path(scratch))
            seen = sha512(archive)
            expected = pinned.get(package.name, {}).get("sha512")
            if expected != seen and not accept:
                sys.exit(
                    f"{package.name} {package.version} is not the archive we pinned. Read what changed, then --accept."
                )
            copy_files(package, archive)
            if package is TABLER:
                draw_sprite(archive)
            rows.append({"name": package.name, "version": package.version, "sha512": seen, "licence": package.licence})
    manifest.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{len(rows)} packages in {VENDOR.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
