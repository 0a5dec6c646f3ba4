#!/usr/bin/env python3
"""Take the pictures of the README from a running demo: `.venv/bin/python scripts/screenshots.py READY [--into DIR]`.

READY is a file with what `relance demo --json` printed. The script signs in as the demo's administrator, types a fake number and a status
without its reason as a person would, waits for the sync to answer, and takes its pictures in English. It needs Chromium.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
MOST_BYTES = 300_000
PATIENCE_SECONDS = 120
FAKE_PHONE = "01 02 03 04 05"


def main() -> int:
    parser = argparse.ArgumentParser(description="Take the pictures of the README from a running demo.")
    parser.add_argument("ready", type=Path, help="a file with what `relance demo --json` printed")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "screenshots", help="where the pictures go")
    options = parser.parse_args()
    ready = json.loads(options.ready.read_text(encoding="utf-8"))
    options.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        Photographer(browser, ready, options.into).take_all()
        browser.close()
    large = [path.name for path in options.into.glob("*.png") if path.stat().st_size > MOST_BYTES]
    if large:
        print(f"Larger than {MOST_BYTES // 1000} kB: {', '.join(large)}", file=sys.stderr)
    return 1 if large else 0


class Photographer:
    """Signed in once; each picture in a window of its own size and theme."""

    def __init__(self, browser: Browser, ready: dict[str, Any], into: Path) -> None:
        self.browser = browser
        self.url = ready["url"]
        self.admin = next(who for who in ready["accounts"] if who["role"] == "admin")
        self.into = into
        self.state: Any = None

    def take_all(self) -> None:
        self.sign_in()
        with self.window() as page:
            self.speak(page, "en")
            faked = self.type_a_fake_number(page)
            refused = self.disqualify_without_reason(page)
            self.wait_for(page, faked, re.compile("was put back"))
            self.wait_for(page, "/crm", re.compile(r"Errors\s*[1-9]"))
            crm = page.url
        self.take("home", "/")
        self.take("home-dark", "/", theme="dark")
        self.take("home-phone", "/", size=PHONE)
        self.take("people", "/people")
        self.take("person-why", faked, before=open_why)
        self.take("person-why-dark", faked, theme="dark", before=open_why)
        self.take("person-phone", faked, size=PHONE)
        self.take("crm-overview", crm)
        self.take("crm-fields", f"{crm}/fields")
        self.take("crm-errors", f"{crm}/errors")
        self.take("crm-errors-dark", f"{crm}/errors", theme="dark")
        with self.window() as page:
            self.give_reason(page, refused)
            self.speak(page, "fr")

    # The demo, changed as a person would

    def sign_in(self) -> None:
        with self.window() as page:
            page.goto(f"{self.url}/accounts/login/")
            page.fill("input[name=login]", self.admin["email"])
            page.fill("input[name=password]", self.admin["password"])
            page.click("button.primary")
            page.wait_for_url(f"{self.url}/")
            self.state = page.context.storage_state()

    def speak(self, page: Page, language: str) -> None:
        page.goto(f"{self.url}/profile")
        page.select_option("select[name=language]", language)
        page.locator("main form button.primary").first.click()
        page.wait_for_load_state()

    def type_a_fake_number(self, page: Page) -> str:
        """A contact's telephone number, over the CRM's."""
        person = self.find_person(page, "Contact")
        self.change(page, person, {"phone": FAKE_PHONE})
        return person

    def disqualify_without_reason(self, page: Page) -> str:
        person = self.find_person(page, "Lead")
        self.change(page, person, {"status": "Disqualifié"})
        return person

    def give_reason(self, page: Page, person: str) -> None:
        page.goto(f"{self.url}{person}/edit")
        page.get_by_label("Raison de la disqualification").select_option("Pas de budget")
        self.save(page)

    def find_person(self, page: Page, object: str) -> str:
        """The address of the first person of the list whose record is of this object, and who has a telephone number."""
        page.goto(f"{self.url}/people")
        links = page.locator("main a[href^='/people/']").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        for link in dict.fromkeys(link for link in links if re.fullmatch(r"/people/\d+", link)):
            page.goto(f"{self.url}{link}")
            known = page.locator("main dt").all_inner_texts()
            if object in known and "Phone" in known and FAKE_PHONE not in page.locator("main").inner_text():
                return str(link)
        raise SystemExit(f"No person of the first page has a {object} and a telephone number.")

    def change(self, page: Page, person: str, values: dict[str, str]) -> None:
        page.goto(f"{self.url}{person}/edit")
        for name, value in values.items():
            page.fill(f"[name={name}]", value)
        self.save(page)
        page.get_by_role("button", name="Sync now").click()
        page.wait_for_load_state()

    def save(self, page: Page) -> None:
        page.locator("main form button.primary").first.click()
        page.wait_for_load_state()

    def wait_for(self, page: Page, address: str, words: re.Pattern[str]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            page.goto(address if address.startswith("http") else f"{self.url}{address}")
            if words.search(page.locator("main").inner_text()):
                return
            time.sleep(1)
        raise SystemExit(f"{address} did not say “{words.pattern}” in {PATIENCE_SECONDS} s.")

    # Pictures

    def take(self, name: str, address: str, *, size: Any = DESKTOP, theme: str = "light", before: Any = None) -> None:
        with self.window(size, theme) as page:
            page.goto(address if address.startswith("http") else f"{self.url}{address}")
            if before:
                before(page)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=self.into / f"{name}.png")
        print(f"{name}.png", file=sys.stderr)

    @contextmanager
    def window(self, size: Any = DESKTOP, theme: Any = "light") -> Iterator[Page]:
        context: BrowserContext = self.browser.new_context(
            viewport=size, color_scheme=theme, reduced_motion="reduce", locale="en-GB", storage_state=self.state
        )
        try:
            yield context.new_page()
        finally:
            context.close()


def open_why(page: Page) -> None:
    """The panel of the value that was put back."""
    page.locator("li.ev", has_text="was put back").first.get_by_text("Why?").click()
    page.locator("#why .gates").wait_for()


if __name__ == "__main__":
    sys.exit(main())
