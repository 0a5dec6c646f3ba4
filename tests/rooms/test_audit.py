"""The audit log: every change of the configuration is there, whoever made it and by whichever door."""

import pytest
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from relance.lib import sql
from relance.workspace.auditing import MASK, acting_as, audit_table
from relance.workspace.models import AuditEntry, Brand, Team, User

pytestmark = pytest.mark.django_db


def entries(table, operation=None):
    found = AuditEntry.objects.filter(table_name=table).order_by("id")
    return list(found.filter(operation=operation) if operation else found)


def test_a_change_is_written_with_its_author_and_only_what_changed():
    team = Team.objects.create(name="Lyon")

    with acting_as("user:7"):
        Team.objects.filter(pk=team.pk).update(name="Grenoble")

    [entry] = entries("workspace_team", "update")
    assert (entry.actor, entry.row_id) == ("user:7", team.pk)
    assert (entry.before, entry.after) == ({"name": "Lyon"}, {"name": "Grenoble"})


def test_a_bulk_change_writes_one_line_a_row_in_one_statement(django_assert_num_queries):
    Team.objects.bulk_create([Team(name=f"Team {n}") for n in range(100)])

    with django_assert_num_queries(1):
        Team.objects.update(name=Concat(F("name"), Value(" bis")))

    assert len(entries("workspace_team", "update")) == 100
    assert len(entries("workspace_team", "insert")) == 100


def test_a_password_never_reaches_the_log_but_its_change_does():
    user = User.objects.create_user("aline@hexalis.example", "correct horse battery", name="Aline")

    user.set_password("another horse battery")
    user.save(update_fields=["password"])

    [made] = entries("workspace_user", "insert")
    [changed] = entries("workspace_user", "update")
    assert made.after["password"] == MASK
    assert (changed.before, changed.after) == ({"password": MASK}, {"password": MASK})
    assert not AuditEntry.objects.filter(after__password__startswith="argon2").exists()


def test_signing_in_is_no_change_of_configuration():
    user = User.objects.create_user("aline@hexalis.example", None, name="Aline")

    User.objects.filter(pk=user.pk).update(last_login="2026-03-02T10:00:00Z")

    assert entries("workspace_user", "update") == []


def test_saving_without_a_change_writes_nothing():
    brand = Brand.objects.create(name="Hexalis")

    brand.save()

    assert entries("workspace_brand", "update") == []


def test_a_deleted_row_is_kept_as_it_was():
    brand = Brand.objects.create(name="Hexalis", website="https://hexalis.example")
    key = brand.pk

    brand.delete()

    [entry] = entries("workspace_brand", "delete")
    assert entry.row_id == key
    assert entry.before["website"] == "https://hexalis.example"
    assert entry.after is None


def test_a_change_by_hand_in_the_database_is_signed_by_the_system():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO workspace_team (name) VALUES ('Lyon')")

    [entry] = entries("workspace_team")
    assert entry.actor == "system"


def test_the_author_is_forgotten_with_the_transaction():
    with transaction.atomic():
        Team.objects.create(name="Lyon")
    [row] = sql.select("SELECT current_setting('relance.actor', true) AS actor")

    assert row["actor"] in (None, "")


def test_a_secret_that_was_empty_is_shown_as_empty():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE tried (id bigint PRIMARY KEY, secret text, label text)")
        operation = audit_table("tried", masked=("secret",))
        cursor.execute(operation.sql)
        cursor.execute("INSERT INTO tried VALUES (1, NULL, 'a')")
        cursor.execute("UPDATE tried SET secret = 'hush' WHERE id = 1")

    [made] = entries("tried", "insert")
    [changed] = entries("tried", "update")
    assert made.after == {"id": 1, "secret": None, "label": "a"}
    assert (changed.before, changed.after) == ({"secret": None}, {"secret": MASK})


def test_every_table_of_settings_users_and_sign_in_is_watched():
    watched = {
        row["name"]
        for row in sql.select(
            "SELECT DISTINCT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname LIKE 'audit%%'"
        )
    }

    assert watched >= {
        "workspace_workspace",
        "workspace_brand",
        "workspace_team",
        "workspace_user",
        "account_emailaddress",
        "mfa_authenticator",
        "socialaccount_socialaccount",
    }
