"""What a browser test looks for on any page."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def accessibility_faults(page: Page) -> list[str]:
    """What axe finds, one line a rule."""
    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {fault['help']} {[node['target'] for node in fault['nodes'][:3]]}" for fault in found]


def style_attributes(page: Page) -> list[str]:
    """Elements that carry a style attribute in what the server sent: there should be none."""
    return re.findall(r'<[a-z]+[^>]*\sstyle="[^"]*"', page.request.get(page.url).text())
