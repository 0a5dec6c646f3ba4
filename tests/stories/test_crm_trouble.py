"""What goes wrong on the way: answers lost, a CRM that is down, an org that is another, fields that vanish. Nothing is lost, nothing doubled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from relance.crm.connection import change_connection, connection_state
from relance.crm.dialect import CrmBusy, CrmMisconfigured
from relance.crm.drafts import draft_of
from relance.crm.mapping import approve_mapping, approved_mapping, check_mapping, save_draft
from relance.crm.models import CrmLink, QueuedPush
from relance.crm.opening import crm_opened
from relance.crm.plan import plans_of
from relance.crm.push import push_batch
from relance.crm.rules import ConnectionState, Creates, RunKind
from relance.crm.runs import run_told
from relance.people.models import Person
from tests.stories.crm_story import Story, tell
from tests.stories.org_process import OrgProcess, org_running, write_tree
from tests.stories.salesforce_sandbox import CuttableLine

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrgProcess]:
    home = tmp_path_factory.mktemp("trouble-org")
    with org_running(home, write_tree(home / "tree")) as running:
        yield running


@pytest.fixture
def line(org: OrgProcess) -> Iterator[CuttableLine]:
    line = CuttableLine(int(org.told["http"].rsplit(":", 1)[1]))
    yield line
    line.close()


@pytest.fixture
def story(org: OrgProcess, line: CuttableLine) -> Story:
    return tell(org, login_url=line.url)


def push_once(story: Story, line: CuttableLine, *, cut: bool = False) -> None:
    """One batch; with `cut` the line is cut after the CRM has done what it was told and before it could say so."""
    plans = plans_of(approved_mapping(story.connection))
    with crm_opened(story.connection) as crm:
        crm.identity()
        with run_told(story.connection, RunKind.PUSH, policy="test", now=timezone.now()) as book:
            if cut:
                line.cut_after_the_next_request()
            push_batch(book, crm, plans, state=ConnectionState.ENABLED, now=timezone.now())


def make_due(story: Story) -> None:
    QueuedPush.objects.filter(connection=story.connection).update(due_at=timezone.now() - timedelta(seconds=1))


def test_a_lost_answer_to_a_creation_makes_no_twin(story, line):
    story.sync()
    person = Person.objects.create(
        last_name="Perdu", company_name="Essai", email="perdu@essai.example", owner=story.admin
    )

    push_once(story, line, cut=True)

    assert line.cuts == 1
    assert QueuedPush.objects.get(subject_id=person.pk).state == "unknown"
    make_due(story)
    story.sync()
    assert story.count("Lead", f"Relance_Id__c = '{person.uid}'") == 1
    assert CrmLink.objects.filter(person=person).count() == 1
    assert not QueuedPush.objects.exists()


def test_a_lost_answer_to_a_creation_makes_no_twin_where_the_crm_keeps_no_key_of_ours(story, line):
    mapping = approved_mapping(story.connection)
    mapping.object_mappings.filter(object="Lead").update(external_id_field="")
    story.sync()
    person = Person.objects.create(
        last_name="Sansclef", company_name="E", email="sansclef@essai.example", owner=story.admin
    )

    plans = plans_of(approved_mapping(story.connection))
    with crm_opened(story.connection) as crm:
        crm.find_by_external_id("Lead", "Email", ["nobody@essai.example"])
        create = type(crm).create

        def cut_then_create(self, name, rows):
            line.cut_after_the_next_request()
            return create(self, name, rows)

        type(crm).create = cut_then_create
        try:
            with run_told(story.connection, RunKind.PUSH, policy="test", now=timezone.now()) as book:
                push_batch(book, crm, plans, state=ConnectionState.ENABLED, now=timezone.now())
        finally:
            type(crm).create = create
    make_due(story)
    push_once(story, line)

    assert line.cuts == 1
    assert story.count("Lead", "Email = 'sansclef@essai.example'") == 1
    assert CrmLink.objects.filter(person=person).count() == 1


def test_a_crm_that_is_down_is_called_again_and_breaks_nothing(story, line):
    lead = story.lead("Panne")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(score=8)
    change_connection(story.connection, login_url="http://127.0.0.1:9")

    with pytest.raises(CrmBusy):
        story.sync()

    assert connection_state(story.connection) is ConnectionState.ENABLED
    change_connection(story.connection, login_url=line.url)
    story.sync()
    assert story.value("Lead", lead, "Score_Relance__c") == 8


def test_an_org_that_is_another_moves_nothing_and_says_so(story):
    lead = story.lead("Ailleurs", Phone="0123456789")
    story.sync()
    story.change("Lead", lead, Phone="0999999999")
    story.connection.org_id = "00D000000000001AAA"
    story.connection.save()

    with pytest.raises(CrmMisconfigured, match="ORG_SWAPPED"):
        story.sync()

    assert story.person(lead).phone == "0123456789"
    assert connection_state(story.connection) is ConnectionState.BROKEN
    assert story.sync().is_idle


def test_a_field_that_vanished_is_left_out_and_the_rest_goes_on(story):
    lead = story.lead("Disparu", Phone="0123456789")
    story.sync()
    mapping = approved_mapping(story.connection)
    mapping.object_mappings.get(object="Lead").fields.filter(field_key="mobile_phone").update(crm_field="Gone__c")

    story.change("Lead", lead, Phone="0222222222")
    story.sync()

    assert story.person(lead).phone == "0222222222"
    assert "crm_field_unseen" in {found.code for found in check_mapping(mapping)}


def test_a_field_that_vanished_since_it_was_last_described_is_noticed_in_the_same_cycle(story):
    lead = story.lead("Recent", Phone="0123456789")
    story.sync()
    snapshot = story.connection.snapshots.get(object="Lead")
    field = next(each for each in snapshot.description["fields"] if each["name"] == "MobilePhone")
    snapshot.description["fields"].append({**field, "name": "Ghost__c"})
    snapshot.hash = "another"
    snapshot.save()
    mapping = approved_mapping(story.connection)
    mapping.object_mappings.get(object="Lead").fields.filter(field_key="mobile_phone").update(crm_field="Ghost__c")

    story.change("Lead", lead, Phone="0222222222")
    story.sync()

    assert story.person(lead).phone == "0222222222"
    assert connection_state(story.connection) is ConnectionState.ENABLED


def test_a_mapping_is_not_approved_without_a_dry_run_of_its_very_content(story):
    drafts = draft_of(approved_mapping(story.connection))
    draft = save_draft(story.connection, drafts, by=story.admin)

    with pytest.raises(ValidationError, match="dry run"):
        approve_mapping(draft, story.admin)


def test_a_dry_run_counts_with_examples_and_changes_nothing(story):
    from relance.crm.dry_run import dry_run

    story.lead("Essai", Phone="0123456789")
    before = Person.objects.count()
    mapping = approved_mapping(story.connection)

    told = dry_run(mapping, by=story.admin)

    lead = told["objects"]["Lead"]
    assert lead["new"] >= 1
    assert lead["reasons"]["crm.crm_is_right"] >= 1
    assert len(lead["examples"]["crm.crm_is_right"]) <= 20
    assert lead["examples"]["crm.crm_is_right"][0]["name"]
    assert Person.objects.count() == before
    assert not CrmLink.objects.exists()


def test_a_new_version_settles_anew_what_the_old_one_kept(story):
    from dataclasses import replace

    from relance.crm.dry_run import dry_run
    from relance.crm.rules import RightSide

    lead = story.lead("Version", Phone="0123456789")
    story.sync()
    Person.objects.filter(pk=story.person(lead).pk).update(phone="0444444444")
    drafts = [
        replace(
            draft,
            fields=tuple(
                replace(line, owner=RightSide.RELANCE) if line.field_key == "phone" else line for line in draft.fields
            ),
        )
        for draft in draft_of(approved_mapping(story.connection))
    ]
    draft = save_draft(story.connection, drafts, by=story.admin)
    dry_run(draft, by=story.admin)
    approve_mapping(draft, story.admin)

    story.sync()

    assert story.value("Lead", lead, "Phone") == "0444444444"
    assert Creates(draft.object_mappings.get(object="Lead").creates) is Creates.OWNED
