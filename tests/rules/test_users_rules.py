"""Who may leave and who may be demoted: the laws behind the pages."""

from hypothesis import given
from hypothesis import strategies as st

from relance.decisions.rules import Verdict
from relance.workspace.rules import (
    ROLE_PERMISSIONS,
    Permission,
    Role,
    UserChangeFacts,
    decide_deactivation,
    decide_role_change,
    may,
)

facts = st.builds(
    UserChangeFacts,
    is_active=st.booleans(),
    role=st.sampled_from(Role),
    other_admins=st.integers(0, 3),
    holdings=st.dictionaries(st.sampled_from(["people", "companies"]), st.integers(0, 3)),
    heir=st.sampled_from(["", "Bruno"]),
    is_to_be_left_unowned=st.booleans(),
)


@given(facts)
def test_whoever_may_leave_leaves_an_administrator_behind(told):
    if decide_deactivation(told).verdict is Verdict.GO and told.role is Role.ADMIN:
        assert told.other_admins > 0


@given(facts, st.sampled_from(Role))
def test_whoever_may_take_another_role_leaves_an_administrator_behind(told, role):
    admins_after = told.other_admins + (told.is_active and role is Role.ADMIN)

    if told.is_active and told.role is Role.ADMIN and decide_role_change(told, role).verdict is Verdict.GO:
        assert admins_after > 0


@given(facts)
def test_nothing_owned_is_ever_left_without_somebody_having_said_so(told):
    if decide_deactivation(told).verdict is Verdict.GO and any(told.holdings.values()):
        assert told.heir or told.is_to_be_left_unowned


def test_every_role_has_its_row_and_administrators_may_do_everything():
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert all(may(Role.ADMIN, permission) for permission in Permission)


def test_only_administrators_manage_users_the_workspace_and_the_crm():
    kept = {Permission.MANAGE_USERS, Permission.MANAGE_WORKSPACE, Permission.MANAGE_CRM, Permission.VIEW_AUDIT}

    assert not [(role, one) for role in Role if role is not Role.ADMIN for one in kept if may(role, one)]


def test_read_only_changes_nothing():
    assert ROLE_PERMISSIONS[Role.READ_ONLY] == {Permission.VIEW_PEOPLE, Permission.VIEW_ALL_PEOPLE, Permission.VIEW_CRM}
