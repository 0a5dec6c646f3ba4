"""Templates, stylesheets and scripts as they are written: what the house style promises can be read in the files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from relance.web.files import SCRIPTS, STYLESHEETS
from relance.web.icons import icon_names

WEB = Path(__file__).parents[2] / "src/relance/web"
STATIC = WEB / "static"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
OWN_SCRIPTS = sorted((STATIC / "relance/js").glob("*.js"))
OWN_STYLES = sorted((STATIC / "relance/css").rglob("*.css"))


def told(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=told)
def test_a_template_has_no_inline_style_script_or_handler(template):
    text = template.read_text()

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|hx-on|javascript:", text)
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("template", TEMPLATES, ids=told)
def test_every_icon_a_template_names_is_in_the_sprite(template):
    text = template.read_text()
    named = re.findall(r'{% icon "([^"]+)"', text) + re.findall(r'\sicon="([a-z0-9-]+)"', text)

    assert set(named) <= icon_names()


def test_every_icon_the_code_names_is_in_the_sprite():
    named = {
        name
        for module in WEB.parent.rglob("*.py")
        for name in re.findall(r'\bicon"?\s*[=:]\s*"([a-z0-9-]+)"', module.read_text())
    }

    assert named and named <= icon_names()


@pytest.mark.parametrize("fragment", [path for path in TEMPLATES if path.name.startswith("_")], ids=told)
def test_a_fragment_says_what_it_needs(fragment):
    assert "{#" in "".join(fragment.read_text().splitlines(keepends=True)[:3])


@pytest.mark.parametrize("style", OWN_STYLES, ids=told)
def test_a_stylesheet_stays_in_its_layer_and_names_colours_by_token(style):
    text = re.sub(r"/\*.*?\*/", "", style.read_text(), flags=re.DOTALL)

    if style.name not in ("relance.css", "fonts.css"):
        assert re.match(r"\s*@layer \w+ \{", text)
    if style.name not in ("util.css", "narrow.css"):
        assert "!important" not in text
    assert not re.search(r"(^|[\s,}])#[a-zA-Z][\w-]*[^;{}]*\{", text), "ids are not styled"


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=told)
def test_a_script_is_short_and_evaluates_nothing(script):
    text = script.read_text()

    assert len(text.splitlines()) < 150
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", text)


def test_every_file_of_ours_is_linked_and_every_link_is_a_file():
    linked = {*STYLESHEETS, *SCRIPTS}
    here = {path.relative_to(STATIC).as_posix() for path in (*OWN_STYLES, *OWN_SCRIPTS)}
    by_pages = {name for template in TEMPLATES for name in re.findall(r'static "([^"]+)"', template.read_text())}

    assert here <= linked | by_pages, "written, but no page links it"
    assert all(
        (STATIC / name).is_file() for name in linked | {name for name in by_pages if name.startswith("relance/")}
    )


def test_the_manifest_names_each_vendored_package_with_its_licence_and_no_address():
    text = (STATIC / "vendor/manifest.json").read_text()
    rows = json.loads(text)

    assert "http" not in text
    for row in rows:
        assert row.keys() == {"name", "version", "sha512", "licence"}
        assert len(base64.b64decode(row["sha512"].removeprefix("sha512-"))) == hashlib.sha512().digest_size
    folders = [path for path in (STATIC / "vendor").iterdir() if path.is_dir()]
    assert len(folders) == len(rows)
    assert all((folder / "LICENSE").is_file() for folder in folders)
