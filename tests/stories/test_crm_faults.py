"""Each fault a CRM or its line may have ends in a state with a name and a reason: nothing is lost, nothing doubled, nothing goes round for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from relance.crm.budget import gather_budget
from relance.crm.connection import change_connection, connection_state, last_event
from relance.crm.dialect import CrmBusy, CrmMisconfigured
from relance.crm.errors import error_groups, retry_errors
from relance.crm.mapping import approved_mapping, check_mapping
from relance.crm.models import CrmLink, DirtyField, PushError, QueuedPush
from relance.crm.recheck import may_recheck, recheck_connection
from relance.crm.rules import ConnectionState
from relance.crm.sync import run_cycle
from relance.decisions.facts import latest_decision
from relance.decisions.models import LedgerLine
from relance.people.catalogue import FieldKind, Subject
from relance.people.change import change_person
from relance.people.facts import gather_values
from relance.people.models import Person
from relance.people.schema import create_custom_field
from tests.stories.crm_story import Story, tell
from tests.stories.org_process import OrgProcess, org_running, write_tree

pytestmark = pytest.mark.django_db

DATA = "/services/data"
WRITES = {"method": "PATCH", "path": "composite/sobjects"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    home = tmp_path_factory.mktemp("faulty-org")
    with org_running(home, write_tree(home / "tree")) as org:
        yield org


@pytest.fixture
def org(running: OrgProcess) -> Iterator[OrgProcess]:
    yield running
    with running.client() as client:
        client.delete("/sandbox/faults")
        client.patch("/sandbox/settings", json={"rotate_refresh_tokens": False})


@pytest.fixture
def story(org: OrgProcess) -> Story:
    told = tell(org)
    told.sync()
    with org.client() as client:
        client.delete("/sandbox/requests")
    return told


def trouble(story: Story, kind: str, match: dict[str, Any] | None = None, **options: Any) -> str:
    with story.org.client() as client:
        answer = client.post("/sandbox/faults", json={"kind": kind, "match": match or {}, "with": options})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["faults"][0]["id"])


def calm(story: Story) -> None:
    with story.org.client() as client:
        client.delete("/sandbox/faults")


def act(story: Story, name: str, **told: Any) -> None:
    with story.org.client() as client:
        answer = client.post("/sandbox/act", json={"name": name, "with": told})
    assert answer.status_code == 200, answer.text


def requests(story: Story, **narrowed: str) -> list[dict[str, Any]]:
    """What was asked of the CRM by us: the stories' own questions come without our name."""
    with story.org.client() as client:
        lines = client.get("/sandbox/requests", params={"limit": "5000", **narrowed}).json()["requests"]
    return [line for line in lines if not line["path"].startswith("/sandbox")]


def writes(story: Story) -> list[dict[str, Any]]:
    return [line for line in requests(story, path="composite/sobjects") if line["method"] in ("POST", "PATCH")]


def newcomer(story: Story, name: str) -> Person:
    return Person.objects.create(
        last_name=name, company_name="Essai", email=f"{name.lower()}@essai.example", owner=story.admin
    )


def later(story: Story, **much: int) -> None:
    """A cycle at another time: pauses asked for are over by then."""
    run_cycle(story.connection, timezone.now() + timedelta(**(much or {"hours": 2})))


def is_in_crm_once(story: Story, person: Person) -> bool:
    return (
        story.count("Lead", f"Relance_Id__c = '{person.uid}'") == 1
        and CrmLink.objects.filter(person=person).count() == 1
        and not QueuedPush.objects.filter(subject_id=person.pk).exists()
    )


def why(person: Person) -> str:
    """The reason last given for sending somebody's values, or not."""
    found = latest_decision("push", person.pk)
    assert found is not None
    return found.decision.decisive[0].code


# ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_spent_allowance_pauses_all_calls_until_later_and_keeps_the_queue(story):
    person = newcomer(story, "Quota")
    trouble(story, "rate_total")
    with pytest.raises(CrmBusy):
        story.sync()
    spent = len(requests(story))

    story.sync()

    story.connection.refresh_from_db()
    assert len(requests(story)) == spent
    assert story.connection.waits_until > timezone.now() + timedelta(minutes=10)
    assert connection_state(story.connection) is ConnectionState.ENABLED
    assert QueuedPush.objects.get(subject_id=person.pk).state == "waiting"
    calm(story)
    later(story)
    assert is_in_crm_once(story, person)


def test_too_many_long_requests_hold_back_one_cycle_and_not_the_org(story):
    person = newcomer(story, "Concurrent")
    trouble(story, "rate_concurrent", {"path": "composite/sobjects", "times": 1})
    with pytest.raises(CrmBusy):
        story.sync()

    assert why(person) == "crm.busy"
    later(story)
    assert is_in_crm_once(story, person)
    assert len(writes(story)) == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [("/query", "Lecture"), ("composite/sobjects", "Ecriture")],
    ids=["while reading", "while writing"],
)
def test_a_maintenance_page_is_waited_for_as_long_as_it_asks_by_all_workers(story, path, name):
    person = newcomer(story, name)
    trouble(story, "unavailable", {"path": path}, retry_after=600)
    with pytest.raises(CrmBusy):
        story.sync()
    spent = len(requests(story))

    for _ in range(3):
        story.sync()

    story.connection.refresh_from_db()
    assert len(requests(story)) == spent
    assert timedelta(minutes=9) < story.connection.waits_until - timezone.now() <= timedelta(minutes=10)
    calm(story)
    later(story)
    assert is_in_crm_once(story, person)


def test_a_maintenance_page_without_a_time_breaks_nothing_and_is_tried_again(story):
    person = newcomer(story, "Page")
    trouble(story, "unavailable", {"times": 1})
    with pytest.raises(CrmBusy):
        story.sync()

    later(story, minutes=5)

    assert connection_state(story.connection) is ConnectionState.ENABLED
    assert is_in_crm_once(story, person)


# ── Rows of a collection ─────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_locked_rows_of_a_batch_are_sent_again(story):
    free, locked = newcomer(story, "Libre"), newcomer(story, "Verrou")
    trouble(story, "lock_row", {"record": {"Relance_Id__c": str(locked.uid)}, "times": 1})

    story.sync()

    assert is_in_crm_once(story, free)
    assert why(locked) == "crm.busy"
    assert not PushError.objects.exists()
    later(story)
    assert is_in_crm_once(story, locked)
    assert [str(free.uid) in line["body"] for line in writes(story)] == [True, False]


def test_the_good_rows_of_a_batch_are_done_and_each_bad_one_says_which_rule_refused_it(story):
    people = [newcomer(story, f"Lot{number}") for number in range(4)]
    trouble(story, "partial", {"every": 2}, message="Le téléphone manque.")

    story.sync()

    refused = set(PushError.objects.filter(resolved_at=None).values_list("subject_id", flat=True))
    assert len(refused) == 2
    assert sum(is_in_crm_once(story, person) for person in people) == 2
    assert [(group.code, group.subjects) for group in error_groups(story.connection)] == [
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", 2)
    ]
    calls = len(writes(story))
    story.sync()
    assert len(writes(story)) == calls


def test_a_refusal_is_no_open_question_once_its_record_was_deleted(story):
    lead = story.lead("Efface")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=9)
    trouble(story, "validation", {"object": "Lead"})
    story.sync()
    assert PushError.objects.filter(resolved_at=None).count() == 1
    calm(story)

    story.delete("Lead", lead)
    retry_errors(story.connection, by=story.admin)
    later(story)

    assert not PushError.objects.filter(resolved_at=None).exists()
    assert not QueuedPush.objects.exists()


# ── Sessions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def by_refresh_token(story: Story) -> None:
    secret = {"client_secret": story.org.told["client_secret"], "refresh_token": story.org.told["refresh_token"]}
    change_connection(story.connection, secrets=secret, login_method="refresh_token")


@pytest.mark.django_db(
    transaction=True
)  # the token is kept by the thread that reads, on a database connection of its own
def test_a_session_that_ends_is_renewed_once_and_the_rotated_token_is_kept(story):
    by_refresh_token(story)
    person = newcomer(story, "Session")
    trouble(story, "session_expired", {"path": "composite/sobjects", "times": 1}, refresh="rotated")

    story.sync()
    story.sync()

    assert is_in_crm_once(story, person)
    assert connection_state(story.connection) is ConnectionState.ENABLED
    assert {line["status"] for line in requests(story, path="oauth2/token")} == {200}


def test_a_refresh_that_is_refused_asks_for_a_new_sign_in_and_goes_round_no_more(story):
    person = newcomer(story, "Revoque")
    trouble(story, "session_expired", {"times": 1}, refresh="refused")
    with pytest.raises(CrmMisconfigured):
        story.sync()
    spent = len(requests(story))

    story.sync()

    assert connection_state(story.connection) is ConnectionState.BROKEN
    assert last_event(story.connection).details["remedy"] == "reconnect"
    assert len(requests(story)) == spent
    assert QueuedPush.objects.filter(subject_id=person.pk).exists()


def test_a_policy_that_refuses_the_session_is_told_and_never_refreshed_round(story):
    trouble(story, "session_policy")
    with pytest.raises(CrmMisconfigured, match="SESSION_NOT_VALID_FOR_API"):
        story.sync()

    assert connection_state(story.connection) is ConnectionState.BROKEN
    assert len(requests(story, path="oauth2/token")) == 1


# ── The line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "drop_body"])
def test_a_creation_whose_answer_is_lost_is_made_exactly_once(story, kind):
    person = newcomer(story, kind.replace("_", "").title())
    trouble(story, kind, {**WRITES, "times": 1})
    story.sync()
    assert why(person) == "crm.answer_lost"

    later(story)

    assert is_in_crm_once(story, person)
    made = [line for line in writes(story) if "Relance_Id__c" in line["path"]]
    assert len(made) == (2 if kind == "drop_before" else 1)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "drop_body"])
def test_a_page_whose_answer_is_lost_is_read_again(story, kind):
    lead = story.lead(f"Lu{kind.replace('_', '')}", Phone="0123456789")
    trouble(story, kind, {"method": "GET", "path": "/queryAll", "times": 1})

    story.sync()

    assert story.person(lead).phone == "0123456789"
    assert CrmLink.objects.filter(crm_id=lead).count() == 1


def test_a_page_cut_where_nobody_announced_its_length_is_read_again_in_the_next_cycle(story):
    lead = story.lead("Coupe", Phone="0123456789")
    trouble(story, "drop_body", {"path": "FROM Lead", "times": 1}, announced=False)
    with pytest.raises(CrmBusy):
        story.sync()

    later(story)

    assert story.person(lead).phone == "0123456789"


def test_a_cursor_that_is_gone_in_the_middle_leaves_no_gap_and_no_double(story):
    leads = [story.lead(f"Locator{number}") for number in range(5)]
    trouble(story, "refuse", {"path": "FROM Lead", "times": 1}, status=400, code="INVALID_QUERY_LOCATOR")
    with pytest.raises(CrmBusy):
        story.sync()

    later(story)

    assert CrmLink.objects.filter(crm_id__in=leads).count() == 5
    assert connection_state(story.connection) is ConnectionState.ENABLED


# ── Clocks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_that_appears_with_an_old_stamp_is_caught(story):
    story.sync()
    trouble(story, "late_commit", {"method": "POST", "path": "/sobjects/Lead", "times": 1}, seconds=90)
    lead = story.lead("Tardif", Phone="0123456789")

    story.sync()

    assert story.person(lead).phone == "0123456789"


@pytest.mark.parametrize(
    ("seconds", "we_wrote", "wins"),
    [
        pytest.param(300, timedelta(minutes=1), "Hors cible", id="ahead, and we wrote last"),
        pytest.param(-300, timedelta(minutes=-1), "Injoignable", id="behind, and they wrote last"),
    ],
)
def test_a_crm_with_a_wrong_clock_misses_nothing_and_wins_no_field_by_it(story, seconds, we_wrote, wins):
    trouble(story, "clock_skew", seconds=seconds)
    lead = story.lead(f"Horloge{seconds}", Raison_Disqualification__c="Pas de budget")
    story.sync()
    story.change("Lead", lead, Raison_Disqualification__c="Injoignable")
    wrote_at = timezone.now() + we_wrote
    change_person(story.person(lead), {story.reason_key: "Hors cible"}, actor="user:1", now=wrote_at)
    DirtyField.objects.filter(subject_id=story.person(lead).pk).update(changed_at=wrote_at)

    story.sync()

    assert held_reason(story, lead) == wins
    assert story.value("Lead", lead, "Raison_Disqualification__c") == wins


def held_reason(story: Story, lead: str) -> Any:
    person = story.person(lead)
    return gather_values(Subject.PERSON, [person.pk], [story.reason_key])[person.pk][story.reason_key]


# ── Rights and what is described ─────────────────────────────────────────────────────────────────────────────────────


def test_a_field_hidden_in_mid_sync_is_left_out_and_what_waited_for_it_goes_when_it_is_back(story):
    lead = story.lead("Masque", Phone="0123456789")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=7)
    trouble(story, "perm_field", field="Lead.Score_Relance__c")

    story.change("Lead", lead, Phone="0222222222")
    story.sync()

    assert story.person(lead).phone == "0222222222"
    assert connection_state(story.connection) is ConnectionState.ENABLED
    assert "crm_field_unseen" in {found.code for found in check_mapping(approved_mapping(story.connection))}
    calm(story)
    later(story)
    assert story.value("Lead", lead, "Score_Relance__c") == 7


def test_a_value_about_to_go_when_its_field_was_hidden_goes_when_it_is_back(story):
    lead = story.lead("Cache")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=4)
    trouble(story, "rate_concurrent", {"path": "composite/sobjects"})
    with pytest.raises(CrmBusy):
        story.sync()
    calm(story)
    hidden = trouble(story, "perm_field", field="Lead.Score_Relance__c")
    later(story)

    with story.org.client() as client:
        client.delete(f"/sandbox/faults/{hidden}")
    later(story, hours=4)

    assert story.value("Lead", lead, "Score_Relance__c") == 4


def test_a_field_that_may_only_be_read_holds_its_values_until_it_may_be_written(story):
    lead = story.lead("Champ")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=6)
    trouble(story, "perm_field", field="Lead.Score_Relance__c", keeps_read=True)
    story.sync()
    later(story)

    held = QueuedPush.objects.get(subject_id=story.person(lead).pk)

    assert held.state == "refused"
    calm(story)
    later(story, hours=4)
    later(story, hours=6)
    assert story.value("Lead", lead, "Score_Relance__c") == 6


def test_an_object_taken_away_in_mid_sync_breaks_the_connection_and_deletes_nobody(story):
    lead = story.lead("Objet", Phone="0123456789")
    story.sync()
    trouble(story, "perm_object", object="Lead")
    with pytest.raises(CrmMisconfigured):
        story.sync()
    spent = len(requests(story))

    story.sync()

    assert connection_state(story.connection) is ConnectionState.BROKEN
    assert story.person(lead).phone == "0123456789"
    assert CrmLink.objects.get(crm_id=lead).deleted_at is None
    assert len(requests(story)) == spent


def test_an_org_that_is_another_moves_nothing(story):
    person = newcomer(story, "Echange")
    trouble(story, "org_swapped")
    with pytest.raises(CrmMisconfigured, match="ORG_SWAPPED"):
        story.sync()

    story.sync()

    assert connection_state(story.connection) is ConnectionState.BROKEN
    assert not writes(story)
    assert QueuedPush.objects.filter(subject_id=person.pk).exists()


# ── People of the CRM ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_retired_from_a_list_is_refused_once_with_the_value_and_waits(story):
    person = newcomer(story, "Liste")
    trouble(story, "picklist", {"object": "Lead"}, field="LeadSource", message="Lead Source: bad value: Web")

    story.sync()
    story.sync()

    [error] = PushError.objects.filter(subject_id=person.pk)
    assert (error.code, error.times, error.fields) == ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 1, ["LeadSource"])
    assert len(writes(story)) == 1
    assert why(person) == "crm.refused"


def test_an_owner_who_left_stays_named_and_stops_nothing(story):
    profile = story.org.query("SELECT Id FROM Profile LIMIT 1")[0]["Id"]
    named = dict.fromkeys(("Username", "Email"), "rep@faulty.example") | dict.fromkeys(
        ("Alias", "CommunityNickname"), "rep"
    )
    rep = story.make("User", LastName="Rep", ProfileId=profile, **named)
    lead = story.lead("Parti", OwnerId=rep)
    later(story)
    owner = story.connection.crm_users.get(crm_id=rep)
    act(story, "deactivate_user", user=rep)
    story.change("Lead", lead, Phone="0333333333")

    later(story, hours=4)

    owner.refresh_from_db()
    assert not owner.is_active
    assert story.person(lead).phone == "0333333333"
    assert connection_state(story.connection) is ConnectionState.ENABLED


def test_a_record_emptied_from_the_bin_before_we_looked_is_written_to_no_more(story):
    lead = story.lead("Vide")
    story.sync()
    story.delete("Lead", lead)
    act(story, "purge", record=lead)
    person = story.person(lead)
    Person.objects.filter(pk=person.pk).update(score=5)

    story.sync()
    calls = len(writes(story))
    story.sync()

    assert len(writes(story)) == calls
    assert Person.objects.filter(pk=person.pk).exists()
    assert story.count("Lead", "LastName = 'Vide'") == 0


# ── Rows that fail again and again, connections that work again ──────────────────────────────────────────────────────


def test_a_record_that_fails_three_times_the_same_way_is_parked_with_its_reason_until_somebody_asks(story):
    poison, other = newcomer(story, "Poison"), newcomer(story, "Sain")
    trouble(
        story,
        "refuse_record",
        {"record": {"Relance_Id__c": str(poison.uid)}},
        code="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        message="LeadTrigger: execution of BeforeInsert, line 17",
    )

    for hours in range(0, 10, 2):
        later(story, hours=hours)

    assert is_in_crm_once(story, other)
    assert sum(str(poison.uid) in line["body"] for line in writes(story)) == 3
    assert why(poison) == "crm.parked"
    [error] = PushError.objects.filter(subject_id=poison.pk, resolved_at=None)
    assert "LeadTrigger" in error.message
    calm(story)
    retry_errors(story.connection, error.cause_key, by=story.admin)
    later(story, hours=20)
    assert is_in_crm_once(story, poison)


def test_a_row_that_makes_the_whole_call_fail_is_found_and_parked_and_the_others_go(story):
    people = [newcomer(story, f"Appel{number}") for number in range(12)]
    poison = people[5]
    trouble(story, "refuse", {"method": "PATCH", "record": {"Relance_Id__c": str(poison.uid)}})

    for hours in range(0, 16, 2):
        later(story, hours=hours)

    assert why(poison) == "crm.parked"
    assert sum(is_in_crm_once(story, person) for person in people) == 11
    calls = len(writes(story))
    later(story, hours=30)
    assert len(writes(story)) == calls


def test_a_broken_connection_is_tried_again_with_growing_pauses_and_goes_on_by_itself(story):
    person = newcomer(story, "Repare")
    trouble(story, "session_policy")
    with pytest.raises(CrmMisconfigured):
        story.sync()
    broken_at = last_event(story.connection).at

    minutes = [
        minute for minute in range(200) if recheck_story(story, broken_at + timedelta(minutes=minute)) is not None
    ]

    assert minutes == [1, 2, 4, 8, 16, 32, 64, 124, 184]
    calm(story)
    assert recheck_story(story, broken_at + timedelta(minutes=250)) is True
    later(story, hours=5)
    assert is_in_crm_once(story, person)


def test_a_connection_whose_object_is_still_hidden_is_not_taken_for_repaired(story):
    trouble(story, "perm_object", object="Lead")
    with pytest.raises(CrmMisconfigured):
        story.sync()
    broken_at = last_event(story.connection).at

    assert recheck_story(story, broken_at + timedelta(minutes=2)) is False
    calm(story)
    assert recheck_story(story, broken_at + timedelta(minutes=10)) is True
    assert connection_state(story.connection) is ConnectionState.ENABLED


def recheck_story(story: Story, at: datetime) -> bool | None:
    """Whether it works again; None when it was not yet time to look."""
    story.connection.refresh_from_db()
    return recheck_connection(story.connection, now=at) if may_recheck(story.connection, now=at) else None


# ── What no stamp tells ──────────────────────────────────────────────────────────────────────────────────────────────


def move_cursor_on(story: Story) -> None:
    """As if the records of now had been read long ago: an incremental read no longer meets them."""
    for place in story.connection.cursors.all():
        place.stamp += timedelta(hours=1)
        place.save()


def test_a_record_emptied_from_the_bin_is_unlinked_by_the_sweep_of_the_week_with_its_own_reason(story):
    lead, kept = story.lead("Purge"), story.lead("Garde")
    story.sync()
    person = story.person(lead)
    story.delete("Lead", lead)
    act(story, "purge", record=lead)
    move_cursor_on(story)

    later(story, days=6)
    assert CrmLink.objects.get(crm_id=lead).deleted_at is None
    later(story, days=8)

    link = CrmLink.objects.get(crm_id=lead)
    assert link.deleted_at is not None
    assert latest_decision("link", link.pk).decision.decisive[0].code == "crm.gone_from_crm"
    assert Person.objects.filter(pk=person.pk).exists()
    assert CrmLink.objects.get(crm_id=kept).deleted_at is None


def test_a_record_that_came_into_sight_is_found_by_the_sweep_of_the_week(story):
    lead = story.lead("Partage", Phone="0123456789")
    trouble(story, "perm_record", ids=[lead])
    story.sync()
    move_cursor_on(story)
    calm(story)
    later(story, days=1)
    assert not CrmLink.objects.filter(crm_id=lead).exists()

    later(story, days=8)

    assert story.person(lead).phone == "0123456789"


def test_a_sweep_that_misses_very_many_records_unlinks_none_and_says_so(story):
    leads = [story.lead(f"Masse{number}") for number in range(25)]
    story.sync()
    trouble(story, "perm_record", ids=leads)
    move_cursor_on(story)

    later(story, days=8)

    assert CrmLink.objects.filter(crm_id__in=leads, deleted_at=None).count() == 25
    assert story.connection.runs.get(kind="sweep", object="Lead").error_code == "MANY_RECORDS_GONE"


def test_a_formula_that_changed_by_itself_is_read_again_within_a_day(story):
    days = create_custom_field(Subject.PERSON, "Ancienneté", FieldKind.NUMBER, now=timezone.now())
    approved_mapping(story.connection).object_mappings.get(object="Lead").fields.create(
        field_key=days.column,
        crm_field="Anciennete_Jours__c",
        owner="crm",
        blank="clear",
        direction="from_crm",
        number=99,
    )
    lead = story.lead("Formule")
    later(story)
    person = story.person(lead)
    assert gather_values(Subject.PERSON, [person.pk], [days.column])[person.pk][days.column] == 0
    move_cursor_on(story)
    trouble(story, "clock_skew", seconds=2 * 24 * 3600)

    later(story, hours=30)

    assert gather_values(Subject.PERSON, [person.pk], [days.column])[person.pk][days.column] == 2


# ── The allowance of calls ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_spent_budget_lets_new_people_go_and_keeps_the_rest_until_there_is_some_again(story):
    lead = story.lead("Budget", Phone="0123456789")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=3)
    story.change("Lead", lead, Phone="0222222222")
    person = newcomer(story, "Prioritaire")
    story.connection.budget_percent = 0
    story.connection.save()
    reads = len(requests(story, path="/queryAll"))

    story.sync()
    story.sync()

    assert is_in_crm_once(story, person)
    assert len(requests(story, path="/queryAll")) == reads
    assert story.value("Lead", lead, "Score_Relance__c") is None
    told = LedgerLine.objects.filter(subject="crm_budget", subject_id=story.connection.pk)
    assert [line.reasons[0]["code"] for line in told] == ["crm.budget_kept"]
    story.connection.budget_percent = 80
    story.connection.save()
    story.sync()
    assert story.value("Lead", lead, "Score_Relance__c") == 3
    assert story.person(lead).phone == "0222222222"


def test_every_call_is_counted_where_all_workers_count_theirs(story):
    before = gather_budget(story.connection, now=timezone.now()).spent_day

    story.sync()

    assert gather_budget(story.connection, now=timezone.now()).spent_day - before == len(requests(story))
