"""What every answer promises to browsers, and what sign-in refuses."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client

from relance.workspace.actions import NewUser, create_user
from relance.workspace.models import User
from relance.workspace.rules import Role
from tests.rooms.walk import World, addresses, ask, path_of

pytestmark = pytest.mark.django_db
PASSWORD = "horse battery staple"
EVERY = addresses()
NOBODY = AnonymousUser()


@pytest.fixture
def aline():
    return create_user(NewUser("aline@hexalis.example", "Aline Martin", Role.ADMIN, password=PASSWORD, language="en"))


def sign_in(client, password=PASSWORD, **more):
    return client.post("/accounts/login/", {"login": "aline@hexalis.example", "password": password, **more})


class InlineThings(HTMLParser):
    """What a strict policy would refuse, found in a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag == "script" and "src" not in told and told.get("type") != "application/json":
            self.found.append("an inline script")
        if tag == "style":
            self.found.append("an inline stylesheet")
        for name, value in attrs:
            is_value = re.fullmatch(r"(--[\w-]+: ?[^;:]+;? ?)+", value or "")
            if name.startswith(("on", "hx-on")) or (name == "style" and not is_value):
                self.found.append(f"{name}={value!r}")
            if name in ("href", "src", "action") and (value or "").lower().strip().startswith(("javascript:", "http:")):
                self.found.append(f"{name}={value!r}")


@pytest.mark.parametrize("address", EVERY, ids=str)
def test_every_page_forbids_scripts_and_styles_that_are_not_ours(address, db):
    world = World()
    for user in (world.users[Role.ADMIN], NOBODY):
        answer = ask("get", path_of(address, world), user)

        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer")
        assert answer.headers["X-Frame-Options"] == "DENY"
        if answer.headers.get("Content-Type", "").startswith("text/html") and not answer.streaming:
            page = InlineThings()
            page.feed(answer.content.decode())
            assert page.found == []


# The signed link is the key: a refused cookie must not keep anybody from saying no. A link nobody signed is no address.
OPENED_BY_THEIR_LINK = ("preferences", "unsubscribe")


@pytest.mark.parametrize("address", EVERY, ids=str)
def test_every_address_refuses_a_form_that_is_not_ours(address, db):
    world = World()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(world.users[Role.ADMIN])

    answer = client.post(path_of(address, world))

    refused = (404,) if str(address) in OPENED_BY_THEIR_LINK else (403, 405)
    assert answer.status_code in refused


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(aline):
    client = Client()
    sign_in(client, next="/profile")

    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_signing_in_changes_the_session_so_that_a_planted_one_is_worth_nothing(aline):
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies["sessionid"] = session.session_key
    planted = session.session_key

    sign_in(client, next="/profile")

    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get("/profile").status_code == 302


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "///elsewhere.example",
        "/\\elsewhere.example",
        "http:elsewhere.example",
        "javascript:alert(1)",
        "\thttps://elsewhere.example",
    ],
)
def test_signing_in_never_leads_to_another_site(aline, settings, elsewhere):
    settings.LOGIN_REDIRECT_URL = "/"
    client = Client()

    answer = sign_in(client, next=elsewhere)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"


def test_after_too_many_wrong_passwords_even_the_right_one_waits(aline):
    for _attempt in range(5):
        sign_in(Client(), "not the password")

    answer = sign_in(Client(), next="/profile")

    assert answer.status_code == 200
    assert "too many" in answer.content.decode().lower()


def test_wrong_passwords_are_counted_in_the_database_for_all_processes(aline):
    sign_in(Client(), "not the password")

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cache_entry WHERE cache_key LIKE '%%login_failed%%'")
        assert cursor.fetchone()[0] >= 1


def test_wrong_passwords_of_one_user_do_not_lock_another_out(aline):
    create_user(NewUser("bruno@hexalis.example", "Bruno", Role.REP, password=PASSWORD))
    for _attempt in range(5):
        Client().post("/accounts/login/", {"login": "bruno@hexalis.example", "password": "not the password"})

    assert sign_in(Client(), next="/profile").status_code == 302


def test_nobody_signs_up(aline):
    Client().post("/accounts/signup/", {"email": "mallory@elsewhere.example", "password1": PASSWORD})

    assert list(User.objects.all()) == [aline]


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(aline):
    known = Client().post("/accounts/password/reset/", {"email": "aline@hexalis.example"})
    unknown = Client().post("/accounts/password/reset/", {"email": "mallory@elsewhere.example"})

    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(aline):
    known = sign_in(Client(), "not the password")
    unknown = Client().post("/accounts/login/", {"login": "mallory@elsewhere.example", "password": "not the password"})

    told = [
        re.sub(r"mallory@elsewhere|aline@hexalis|value=\"[^\"]*\"|content=\"[^\"]*\"", "", page.content.decode())
        for page in (known, unknown)
    ]
    assert told[0] == told[1]


def test_a_user_cannot_change_the_address_an_administrator_vouched_for(aline):
    client = Client()
    client.force_login(aline)

    client.post("/accounts/email/", {"action_add": "", "email": "mallory@elsewhere.example"})

    from allauth.account.models import EmailAddress

    assert list(EmailAddress.objects.values_list("email", flat=True)) == ["aline@hexalis.example"]


def test_an_unknown_host_gets_no_page(db):
    assert Client().get("/accounts/login/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_passwords_are_hashed_with_argon2(aline):
    assert aline.password.startswith("argon2$argon2id$")


SETTINGS = """
import json, os
os.environ["DJANGO_SETTINGS_MODULE"] = "relance.site.settings"
from django.conf import settings
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "ACCOUNT_DEFAULT_HTTP_PROTOCOL", "CSRF_TRUSTED_ORIGINS")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def test_behind_https_cookies_never_travel_in_the_clear():
    environment = {**os.environ, "RELANCE_URL": "https://relance.hexalis.example"}
    done = subprocess.run([sys.executable, "-c", SETTINGS], env=environment, capture_output=True, text=True, check=True)

    told = json.loads(done.stdout)
    assert told["SESSION_COOKIE_SECURE"] and told["CSRF_COOKIE_SECURE"] and told["SECURE_HSTS_SECONDS"] > 0
    assert told["ACCOUNT_DEFAULT_HTTP_PROTOCOL"] == "https"
    assert told["CSRF_TRUSTED_ORIGINS"] == ["https://relance.hexalis.example"]


def test_behind_a_proxy_each_client_has_a_sign_in_limit_of_its_own(aline, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for attempt in range(12):
        Client().post(
            "/accounts/login/",
            {"login": f"nobody{attempt}@hexalis.example", "password": "wrong"},
            headers={"X-Forwarded-For": "203.0.113.9"},
        )

    theirs = sign_in_from("203.0.113.9")
    mine = sign_in_from("198.51.100.7")

    assert (theirs.status_code, mine.status_code) == (200, 302)


def sign_in_from(ip):
    told = {"login": "aline@hexalis.example", "password": PASSWORD, "next": "/profile"}
    return Client().post("/accounts/login/", told, headers={"X-Forwarded-For": ip})


def test_an_address_that_only_acts_says_so_when_it_is_opened_as_a_page(client, aline):
    client.force_login(aline)

    page = client.get("/profile/theme")

    assert page.status_code == 405
    assert page.headers["Allow"] == "POST"
    assert b"This address is not a page" in page.content


def test_after_signing_in_again_one_is_back_on_the_page_whose_button_was_pressed(client):
    answer = client.post("/profile/theme", headers={"Referer": "http://testserver/people?q=martin"})

    assert answer.headers["Location"] == "/accounts/login/?next=/people%3Fq%3Dmartin"


def test_a_button_of_another_site_leads_home_after_signing_in(client):
    answer = client.post("/profile/theme", headers={"Referer": "https://elsewhere.example/trap"})

    assert answer.headers["Location"] == "/accounts/login/?next=/"
