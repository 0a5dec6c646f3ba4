"""Two administrators who demote each other at the same moment: one of them stays."""

import threading

import pytest
from django.db import connection, transaction

from relance.lib.clock import utc_now
from relance.workspace.actions import NewUser, change_role, create_user
from relance.workspace.models import User
from relance.workspace.rules import Role


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_demote_each_other_at_once():
    aline = create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN))
    bruno = create_user(NewUser("bruno@hexalis.example", "Bruno", Role.ADMIN))
    first_has_decided, second_is_waiting = threading.Event(), threading.Event()

    def demote_bruno():
        with transaction.atomic():
            change_role(User.objects.get(pk=bruno.pk), Role.REP, now=utc_now())
            first_has_decided.set()
            second_is_waiting.wait(timeout=2)
        connection.close()

    def demote_aline():
        first_has_decided.wait(timeout=30)
        change_role(User.objects.get(pk=aline.pk), Role.REP, now=utc_now())
        second_is_waiting.set()
        connection.close()

    threads = [threading.Thread(target=demote) for demote in (demote_bruno, demote_aline)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert list(User.objects.filter(role=Role.ADMIN)) == [aline]
