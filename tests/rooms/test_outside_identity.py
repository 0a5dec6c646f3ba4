"""Signing in with an outside identity: the settings alone turn it on, and it opens only accounts an administrator made."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from relance.workspace.actions import NewUser, create_user, deactivate_user
from relance.workspace.models import User
from relance.workspace.rules import Role
from relance.workspace.setup import NewWorkspace, open_workspace
from tests.rooms.outside_issuer import CLIENT, SECRET, Issuer, issuer_for

pytestmark = pytest.mark.django_db(transaction=True)

# The product in a process of its own, started with nothing but its environment; the test's browser is Django's client.
BROWSER = """
import json, os, urllib.request
os.environ["DJANGO_SETTINGS_MODULE"] = "relance.site.settings"
import django
django.setup()
from django.conf import settings
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.ALLOWED_HOSTS.append("testserver")
from django.test import Client

class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None

browser = Client(raise_request_exception=False)
entrance = browser.get("/accounts/login/").content.decode()
leaves = browser.post("/accounts/oidc/oidc/login/?process=login&next=/profile")
try:
    urllib.request.build_opener(Stay).open(leaves.headers["Location"])
except urllib.error.HTTPError as answer:
    back = answer.headers["Location"]
back = back.replace("http://testserver", "")
if os.environ.get("TAMPER"):
    back = back.replace("state=", "state=x")
comes = browser.get(back)
print(json.dumps({
    "button": os.environ["RELANCE_OIDC_NAME"] in entrance,
    "status": comes.status_code,
    "to": comes.headers.get("Location", ""),
    "profile": browser.get("/profile").status_code,
}))
"""


def sign_in_through(issuer: Issuer, **more: str) -> dict[str, object]:
    host, port, user = (connection.get_connection_params().get(name, "") for name in ("host", "port", "user"))
    name, password = connection.settings_dict["NAME"], connection.get_connection_params().get("password", "")
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgresql:///{name}?host={host}&port={port}&user={user}&password={password}",
        "RELANCE_OIDC_ISSUER": issuer.address,
        "RELANCE_OIDC_CLIENT_ID": CLIENT,
        "RELANCE_OIDC_CLIENT_SECRET": SECRET,
        "RELANCE_OIDC_NAME": "Hexalis directory",
        **more,
    }
    done = subprocess.run([sys.executable, "-c", BROWSER], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def aline(transactional_db):
    open_workspace(NewWorkspace("Hexalis"))
    return create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, language="en"))


def person(email, *, verified=True):
    return {"sub": "directory-17", "email": email, "email_verified": verified, "name": "Aline Martin"}


def test_a_known_user_signs_in_by_the_code_flow(aline):
    with issuer_for(person("aline@hexalis.example")) as issuer:
        seen = sign_in_through(issuer)

    assert issuer.complaints == []
    assert seen == {"button": True, "status": 302, "to": "/profile", "profile": 200}


def test_somebody_nobody_made_an_account_for_stays_outside(aline):
    with issuer_for(person("mallory@elsewhere.example")) as issuer:
        seen = sign_in_through(issuer)

    assert seen["profile"] == 302
    assert User.objects.count() == 1


def test_an_address_the_issuer_did_not_verify_opens_nothing(aline):
    with issuer_for(person("aline@hexalis.example", verified=False)) as issuer:
        seen = sign_in_through(issuer)

    assert seen["profile"] == 302


def test_a_deactivated_user_stays_outside(aline):
    from relance.lib.clock import utc_now

    create_user(NewUser("bruno@hexalis.example", "Bruno", Role.ADMIN))
    deactivate_user(aline, now=utc_now())

    with issuer_for(person("aline@hexalis.example")) as issuer:
        seen = sign_in_through(issuer)

    assert seen["profile"] == 302


def test_an_answer_nobody_asked_for_opens_nothing(aline):
    with issuer_for(person("aline@hexalis.example")) as issuer:
        seen = sign_in_through(issuer, TAMPER="yes")

    assert seen["profile"] == 302
