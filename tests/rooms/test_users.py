"""Users: who is made, changed and shut out, and that somebody can always run the workspace."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.test import Client

from relance.decisions.facts import latest_decision
from relance.decisions.rules import Verdict
from relance.workspace.actions import (
    AddressTaken,
    NewUser,
    change_role,
    change_user,
    create_user,
    deactivate_user,
    forget_second_factors,
    reactivate_user,
    set_password,
)
from relance.workspace.holdings import Holding, declare_holding
from relance.workspace.models import Team, User
from relance.workspace.rules import Permission, Role

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PASSWORD = "horse battery staple"


def aline(role=Role.ADMIN):
    return create_user(NewUser("Aline@Hexalis.example", "Aline Martin", role, password=PASSWORD))


def bruno(role=Role.REP):
    return create_user(NewUser("bruno@hexalis.example", "Bruno Petit", role, password=PASSWORD))


def sign_in(user):
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD, "next": "/profile"})
    assert answer.status_code == 302, answer.content.decode()
    return client


@pytest.fixture
def held(monkeypatch):
    """A room above in which Bruno owns three people."""
    from relance.workspace import holdings

    given = []
    monkeypatch.setattr(holdings, "_holdings", {})
    declare_holding(
        Holding(
            "people",
            "People",
            count_of_user=lambda user: 3,
            hand_over=lambda user, heir, now: given.append((user, heir)) or 3,
            count_of_team=lambda team: 0,
            move=lambda team, to, now: 0,
        )
    )
    return given


def test_the_address_of_a_new_user_is_verified_so_that_passkeys_work():
    user = aline()

    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("aline@hexalis.example", True, True)


def test_two_users_never_share_an_address_whatever_its_case():
    aline()

    with pytest.raises(AddressTaken, match="aline@hexalis"):
        create_user(NewUser("ALINE@hexalis.example", "Another", Role.REP))
    assert User.objects.count() == 1


def test_a_weak_password_makes_no_user():
    with pytest.raises(ValidationError):
        create_user(NewUser("aline@hexalis.example", "Aline", Role.ADMIN, password="password"))
    assert not User.objects.exists()


def test_a_new_address_replaces_the_old_one_at_sign_in():
    user = bruno()

    change_user(user, name="Bruno Petit", email="b.petit@hexalis.example", language="fr", team=None)

    assert list(EmailAddress.objects.values_list("email", "verified")) == [("b.petit@hexalis.example", True)]
    sign_in(user)


def test_the_last_administrator_cannot_be_demoted_and_is_told_why():
    user = aline()

    decision = change_role(user, Role.REP, now=NOW)

    user.refresh_from_db()
    assert decision.verdict is Verdict.SKIP
    assert [reason.code for reason in decision.decisive] == ["user.is_last_administrator"]
    assert user.role == Role.ADMIN


def test_the_last_administrator_cannot_be_deactivated():
    user = aline()
    bruno()

    decision = deactivate_user(user, now=NOW)

    user.refresh_from_db()
    assert decision.verdict is Verdict.SKIP
    assert user.is_active


def test_an_inactive_administrator_does_not_count_as_one():
    first, second = aline(), bruno(Role.ADMIN)

    deactivate_user(second, now=NOW)

    assert change_role(first, Role.REP, now=NOW).verdict is Verdict.SKIP


def test_with_two_administrators_either_may_leave():
    first, second = aline(), bruno(Role.ADMIN)

    assert change_role(second, Role.MANAGER, now=NOW).verdict is Verdict.GO
    second.refresh_from_db()
    assert second.role == Role.MANAGER
    assert not second.may(Permission.MANAGE_USERS)
    assert first.may(Permission.MANAGE_USERS)


def test_who_owns_people_cannot_leave_before_somebody_takes_them(held):
    aline()
    leaver = bruno()

    decision = deactivate_user(leaver, now=NOW)

    assert [reason.code for reason in decision.decisive] == ["user.must_hand_over"]
    assert held == []


def test_the_people_of_a_leaver_go_to_the_heir(held):
    heir, leaver = aline(), bruno()

    decision = deactivate_user(leaver, heir=heir, now=NOW)

    assert decision.verdict is Verdict.GO
    assert held == [(leaver.pk, heir.pk)]


def test_a_deactivated_user_is_signed_out_at_once_and_cannot_come_back():
    aline()
    leaver = bruno()
    client = sign_in(leaver)
    assert client.get("/profile").status_code == 200

    deactivate_user(leaver, now=NOW)

    assert client.get("/profile").status_code == 302
    answer = Client().post("/accounts/login/", {"login": leaver.email, "password": PASSWORD})
    assert answer.headers.get("Location", "").endswith("/accounts/inactive/")


def test_a_session_ended_by_deactivation_stays_ended_after_reactivation():
    aline()
    leaver = bruno()
    client = sign_in(leaver)
    deactivate_user(leaver, now=NOW)

    reactivate_user(leaver)

    assert client.get("/profile").status_code == 302
    sign_in(leaver)


def test_a_new_password_ends_every_session():
    user = bruno()
    client = sign_in(user)

    set_password(user, "another horse battery")

    assert client.get("/profile").status_code == 302


def test_forgetting_second_factors_lets_somebody_in_who_lost_them():
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    user = bruno()
    TOTP.activate(user, generate_totp_secret())

    assert forget_second_factors(user) == 1
    sign_in(user)


def test_each_change_of_a_user_is_in_the_ledger_with_its_reasons():
    user = aline()

    change_role(user, Role.REP, now=NOW)

    found = latest_decision("user", user.pk)
    assert found.verdict is Verdict.SKIP


def test_a_team_keeps_its_users_until_it_is_deleted():
    team = Team.objects.create(name="Lyon")
    user = create_user(NewUser("chloe@hexalis.example", "Chloé", Role.REP, team=team))

    assert list(team.users.all()) == [user]
