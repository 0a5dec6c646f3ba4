"""Secrets at rest: sealed in the database, readable with any key given, and a lost key is told rather than hidden."""

from contextlib import contextmanager

import pytest
from django.apps.registry import Apps
from django.db import connection, models

from relance.lib.sealing import KeyIsGone, Sealer
from relance.workspace import sealed
from relance.workspace.sealed import SealedTextField, lost_secrets, opened, reseal, sealer

pytestmark = pytest.mark.django_db
OLD, NEW = "an old key of this server", "a new key of this server"


class Safe(models.Model):
    """A table of this test alone."""

    secret = SealedTextField(blank=True, default="")

    class Meta:
        app_label = "workspace"
        db_table = "tried_safe"
        managed = False
        apps = Apps()  # unknown to the other tests of this process, which have no such table


@pytest.fixture(autouse=True)
def safe_table(db, settings, monkeypatch):
    settings.SECRET_KEYS = [OLD]
    monkeypatch.setattr(sealed, "sealed_columns", lambda: iter([(Safe, Safe._meta.get_field("secret"))]))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE tried_safe (id bigserial PRIMARY KEY, secret text NOT NULL)")


@contextmanager
def keys(settings, *given):
    before, settings.SECRET_KEYS = settings.SECRET_KEYS, list(given)
    yield
    settings.SECRET_KEYS = before


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM tried_safe ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def test_a_secret_is_never_readable_in_the_database():
    Safe.objects.create(secret="hush")

    [text] = kept()
    assert "hush" not in text
    assert Safe.objects.get().secret == "hush"


def test_no_secret_stays_no_secret():
    Safe.objects.create(secret="")

    assert kept() == [""]
    assert opened(Safe.objects.get().secret) == ""


def test_after_a_rotation_the_old_key_can_be_thrown_away(settings):
    Safe.objects.bulk_create([Safe(secret=f"hush {n}") for n in range(1200)])

    with keys(settings, NEW, OLD):
        done = reseal()
    with keys(settings, NEW):
        read = [safe.secret for safe in Safe.objects.order_by("id")]

    assert (done.resealed, done.current, done.lost) == (1200, 0, ())
    assert read == [f"hush {n}" for n in range(1200)]


def test_rotating_twice_touches_nothing_the_second_time(settings):
    Safe.objects.create(secret="hush")

    with keys(settings, NEW, OLD):
        reseal()
        again = reseal()

    assert (again.resealed, again.current) == (0, 1)


def test_a_lost_key_closes_no_page_but_the_secret_says_so_when_it_is_needed(settings):
    safe = Safe.objects.create(secret="hush")

    with keys(settings, NEW):
        read = Safe.objects.get()

        with pytest.raises(KeyIsGone, match="Put the old key back"):
            opened(read.secret)
        assert lost_secrets() == [f"workspace.Safe {safe.pk}: secret"]
        assert reseal().lost == (f"workspace.Safe {safe.pk}: secret",)


def test_saving_a_row_whose_key_is_lost_keeps_its_secret_for_when_the_key_is_back(settings):
    Safe.objects.create(secret="hush")
    with keys(settings, NEW):
        Safe.objects.get().save()

    assert Safe.objects.get().secret == "hush"


def test_a_secret_cannot_be_searched():
    with pytest.raises(TypeError, match="sealed"):
        Safe.objects.filter(secret="hush").exists()


def test_the_same_secret_never_looks_the_same_twice():
    assert sealer().seal("hush") != sealer().seal("hush")
    assert Sealer([NEW, OLD]).open(Sealer([OLD]).seal("hush")) == "hush"
