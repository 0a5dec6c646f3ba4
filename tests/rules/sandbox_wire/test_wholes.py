"""Graphs and trees, what a user sees of others' records, and the bin that empties itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relance.sandbox.outcomes import Caller
from relance.sandbox.schema import PermissionSet

from .conftest import PLANTED, Desk


def node(reference: str, thing: str, **values: Any) -> dict[str, Any]:
    return {"method": "POST", "url": f"/services/data/v66.0/sobjects/{thing}", "referenceId": reference, "body": values}


def test_of_two_graphs_the_good_one_stays_and_the_other_leaves_nothing(desk: Desk):
    good = [node("a", "Account", Name="Gamma"), node("c", "Contact", LastName="Émile", AccountId="@{a.id}")]
    bad = [node("a", "Account", Name="Delta"), node("c", "Contact", AccountId="@{a.id}")]

    graphs = [{"graphId": "1", "compositeRequest": good}, {"graphId": "2", "compositeRequest": bad}]
    answer = json.loads(desk.ask("POST", "composite/graph", {"graphs": graphs}).body)["graphs"]

    assert [(graph["graphId"], graph["isSuccessful"]) for graph in answer] == [("1", True), ("2", False)]
    assert [row["httpStatusCode"] for row in answer[1]["graphResponse"]["compositeResponse"]] == [400, 400]
    names = [row["Name"] for row in desk.query("SELECT Name FROM Account WHERE Name IN ('Gamma', 'Delta')")["records"]]
    assert names == ["Gamma"]
    assert (
        desk.query("SELECT Account.Name FROM Contact WHERE LastName = 'Émile'")["records"][0]["Account"]["Name"]
        == "Gamma"
    )


def tree(*contacts: dict[str, Any]) -> dict[str, Any]:
    children = [
        {"attributes": {"type": "Contact", "referenceId": f"c{place}"}, **values}
        for place, values in enumerate(contacts)
    ]
    top = {"attributes": {"type": "Account", "referenceId": "a"}, "Name": "Gamma", "Contacts": {"records": children}}
    return {"records": [top]}


def test_a_tree_makes_parents_and_children_at_once(desk: Desk):
    response = desk.ask("POST", "composite/tree/Account", tree({"LastName": "Émile"}, {"LastName": "Fanny"}))

    answer = json.loads(response.body)
    assert (response.status, answer["hasErrors"]) == (201, False)
    assert [row["referenceId"] for row in answer["results"]] == ["a", "c0", "c1"]
    assert desk.query("SELECT Id FROM Contact WHERE Account.Name = 'Gamma'")["totalSize"] == 2


def test_a_tree_with_a_bad_leaf_leaves_nothing(desk: Desk):
    response = desk.ask("POST", "composite/tree/Account", tree({"LastName": "Émile"}, {"FirstName": "F"}))

    answer = json.loads(response.body)
    assert (response.status, answer["hasErrors"]) == (400, True)
    assert answer["results"][0]["referenceId"] == "c1"
    assert answer["results"][0]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert desk.query("SELECT Id FROM Account WHERE Name = 'Gamma'")["totalSize"] == 0


@pytest.fixture
def rep(desk: Desk) -> Desk:
    """A rep who reads and edits leads, with a boss, and leads that are private."""
    desk.org.schema.permission_sets.append(
        PermissionSet("Rep", "Rep", is_profile=True, objects={"Lead": frozenset({"read", "edit"})})
    )
    admin = Caller(desk.org.user_id, all_rights=True)
    profile = desk.org.records.insert(admin, "Profile", {"Name": "Rep"}, PLANTED).id
    boss = desk.org.records.insert(admin, "UserRole", {"Name": "Boss"}, PLANTED).id
    below = desk.org.records.insert(admin, "UserRole", {"Name": "Rep", "ParentRoleId": boss}, PLANTED).id
    for name, role in (("boss", boss), ("rep", below)):
        values = {
            "Username": f"{name}@x.example", "LastName": name, "Email": f"{name}@x.example", "Alias": name,
            "CommunityNickname": name, "ProfileId": profile, "UserRoleId": role, "IsActive": True,
        }  # fmt: skip
        made = desk.org.records.insert(admin, "User", values, PLANTED)
        assert made.id is not None
        desk.org.sessions.keep_fixed(f"00D!{name}", made.id, "", desk.org.clock())
        if name == "rep":
            for lead in ("Aline", "Bruno"):
                (found,) = desk.query(f"SELECT Id FROM Lead WHERE LastName = '{lead}'")["records"]
                desk.ask("PATCH", f"sobjects/Lead/{found['Id']}", {"OwnerId": made.id})
    desk.org.schema.objects["Lead"].sharing = "Private"
    return Desk(desk.org, "00D!rep")


def test_private_records_are_seen_by_their_owner_and_the_roles_above(desk: Desk, rep: Desk):
    (other,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Chloé'")["records"]

    assert rep.names("Company != null") == ["Aline", "Bruno"]
    assert Desk(desk.org, "00D!boss").names("Company != null") == ["Aline", "Bruno"]
    assert len(desk.names("Company != null")) == 4
    assert rep.ask("GET", f"sobjects/Lead/{other['Id']}").status == 404
    assert rep.ask("PATCH", f"sobjects/Lead/{other['Id']}", {"Company": "X"}).status == 404


def test_records_of_a_public_object_that_may_only_be_read_are_not_changed_by_others(desk: Desk, rep: Desk):
    desk.org.schema.objects["Lead"].sharing = "Read"
    (other,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Chloé'")["records"]
    (own,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"]

    assert len(rep.names("Company != null")) == 4
    refused = rep.ask("PATCH", f"sobjects/Lead/{other['Id']}", {"Company": "X"})
    assert json.loads(refused.body)[0]["errorCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert rep.ask("PATCH", f"sobjects/Lead/{own['Id']}", {"Company": "X"}).status == 204


def test_the_bin_keeps_records_for_fifteen_days(desk: Desk):
    (lead,) = desk.query("SELECT Id FROM Lead WHERE LastName = 'Aline'")["records"]
    desk.ask("DELETE", f"sobjects/Lead/{lead['Id']}")

    def is_kept() -> bool:
        desk.ask("GET", "limits")
        return desk.org.records.row(desk.org.schema.objects["Lead"], lead["Id"]) is not None

    day = 24 * 3600
    for days, kept in ((14, True), (16, False)):
        desk.ask("POST", "/sandbox/faults", {"kind": "clock_skew", "id": "later", "with": {"seconds": days * day}})
        assert is_kept() is kept
        desk.ask("DELETE", "/sandbox/faults/later")
