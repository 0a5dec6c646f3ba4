"""Browser tests: the product served as it is in the field (hashed files, content security policy), in Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread, QuietWSGIRequestHandler
from playwright.sync_api import BrowserContext, Page

from relance.workspace.models import User
from relance.workspace.rules import Role

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="Chromium is not installed: the pages were not tried in a browser")
                )


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ["--no-sandbox"]}


class ThreadThatServesOurFiles(LiveServerThread):
    """Django's test server without its own static files: WhiteNoise gives the hashed ones, as in the field."""

    def _create_server(self, connections_override: Any = None) -> Any:
        return self.server_class((self.host, self.port), QuietWSGIRequestHandler, allow_reuse_address=False)

    def run(self) -> None:
        self.httpd = self._create_server()
        self.port = self.httpd.server_address[1]
        self.httpd.set_app(WSGIHandler())
        self.is_ready.set()
        self.httpd.serve_forever()


FIELD_STORAGE = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}


@pytest.fixture(scope="session")
def collected_files() -> None:
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": FIELD_STORAGE}):
        call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def site(transactional_db: None, collected_files: None) -> Iterator[str]:
    """The address of the running product."""
    in_the_field = override_settings(
        ALLOWED_HOSTS=["localhost"],
        STORAGES={**settings.STORAGES, "staticfiles": FIELD_STORAGE},
        WHITENOISE_AUTOREFRESH=False,
    )
    in_the_field.enable()
    thread = ThreadThatServesOurFiles("localhost", None)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    yield f"http://localhost:{thread.port}"
    thread.terminate()
    in_the_field.disable()


@pytest.fixture
def make_user(transactional_db: None) -> Callable[..., User]:
    """One of the fixed cast, with a role."""

    def make(name: str = "Aline Martin", role: Role = Role.ADMIN, **fields: Any) -> User:
        address = f"{name.split()[0].lower()}@hexalis.example"
        return User.objects.create_user(
            address, None, name=name, role=role.value, joined_at=NOW, **{"language": "en", **fields}
        )

    return make


@pytest.fixture
def sign_in(site: str, context: BrowserContext) -> Callable[[User], None]:
    """Open a session for a user in the browser, without the form."""

    def enter(user: User) -> None:
        client = Client()
        client.force_login(user)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])

    return enter


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser complained of: script errors, refused styles and scripts, files not found. None is accepted."""
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    yield heard
    assert heard == []
