"""The ledger in the database: only added to, merged without loosening, erased but for a fingerprint, asked by the gate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from relance.activity.models import Activity
from relance.consent.actions import (
    NewStatement,
    StatementRefused,
    import_registry_file,
    note_opt_out_box,
    record_evidence,
    record_own_address_change,
    record_statement,
    record_statements,
    record_wording,
    withdraw_consent,
)
from relance.consent.checks import check_consent
from relance.consent.countries import country_code
from relance.consent.house import ApprovalRefused, approve_policy, book_in_force, book_with, draft_policy
from relance.consent.models import ConsentLine, Suppression, Wording
from relance.consent.statements import Channel, Kind, Purpose, Question, Speaker, Status
from relance.decisions.facts import find_decision
from relance.decisions.rules import Verdict
from relance.deliverability.actions import (
    decide_contact,
    decide_contacts,
    end_pause,
    pause_contact,
    record_bounce,
    record_contact_decisions,
    record_sent,
    reset_address,
    wish_frequency,
)
from relance.people.change import change_person, create_company, create_person, delete_people
from relance.people.erasing import erase_person, export_person
from relance.people.merging import merge_people
from relance.people.models import Person
from relance.workspace.models import Brand, User, Workspace

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
BEFORE = NOW - timedelta(days=100)
MAIL = Question(Channel.EMAIL)


def person(name: str = "Aline", **values: object) -> Person:
    values = {"first_name": name, "email": f"{name.lower()}@acme.fr", "country": "France", **values}
    return create_person(values, actor="user:1", now=BEFORE)


def said(who: Person, kind: Kind = Kind.GIVEN, **values: object) -> int:
    channel = values.pop("channel", Channel.EMAIL)
    at = values.pop("at", BEFORE)
    return record_statement(NewStatement(kind, at, who.pk, channel=channel, **values), actor="user:1", now=NOW)


def verdict(who: Person, question: Question = MAIL, at: datetime = NOW) -> Verdict:
    return decide_contact(who, question, at=at).verdict


def test_a_yes_lets_a_mail_go_and_a_later_no_stops_it():
    aline = person()

    assert verdict(aline) is Verdict.SKIP
    said(aline)
    assert verdict(aline) is Verdict.GO
    withdraw_consent(aline.pk, actor="user:1", now=NOW)
    assert decide_contact(aline, MAIL, at=NOW).status is Status.OPTED_OUT


def test_the_same_statement_is_kept_once_and_told_once():
    aline = person()
    one = NewStatement(Kind.GIVEN, BEFORE, aline.pk, channel=Channel.EMAIL)

    first, again = record_statements([one, one], actor="user:1", now=NOW)
    later = record_statements([one], actor="user:1", now=NOW + timedelta(days=1))[0]

    assert first.line_id == again.line_id == later.line_id
    assert not later.is_new
    assert ConsentLine.objects.count() == 1
    assert Activity.objects.filter(kind="consent.opened").count() == 1


@pytest.mark.parametrize("change", ["UPDATE consent_consentline SET kind = 'given'", "DELETE FROM consent_consentline"])
def test_a_line_is_neither_changed_nor_deleted(change):
    said(person(), Kind.WITHDRAWN)

    with pytest.raises(IntegrityError, match="only added to"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_a_wording_never_changes_and_a_new_text_is_a_new_version():
    one = record_wording("form", language="fr", text="J'accepte.", actor="user:1", now=NOW)
    same = record_wording("form", language="fr", text="J'accepte.", actor="user:1", now=NOW)
    other = record_wording("form", language="fr", text="J'accepte tout.", actor="user:1", now=NOW)

    assert (one.pk, one.version, other.version) == (same.pk, 1, 2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Wording.objects.filter(pk=one.pk).update(text="Autre chose")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (NewStatement(Kind.GIVEN, NOW + timedelta(days=1), 1, channel=Channel.EMAIL), "ledger.dated_ahead"),
        (NewStatement(Kind.GIVEN, NOW, 1), "ledger.no_channel"),
        (NewStatement(Kind.CONTRACT, NOW, 1, until=BEFORE), "ledger.ends_before_it_begins"),
        (NewStatement(Kind.LISTED, NOW, 1), "ledger.registry_misplaced"),
        (NewStatement(Kind.WITHDRAWN, NOW), "ledger.about_nobody"),
        (NewStatement(Kind.CONFIRMED, BEFORE, 1, channel=Channel.EMAIL, requested_at=NOW), "ledger.confirmed_before_requested"),
    ],
)  # fmt: skip
def test_a_statement_that_cannot_be_is_refused_by_itself(statement, code):
    with pytest.raises(StatementRefused) as refused:
        record_statement(statement, actor="user:1", now=NOW)

    assert refused.value.reason.code == code


def test_what_is_refused_in_a_batch_loses_nothing_else():
    aline = person()
    good = NewStatement(Kind.WITHDRAWN, BEFORE, aline.pk)
    bad = NewStatement(Kind.GIVEN, BEFORE, aline.pk)

    done = record_statements([bad, good], actor="user:1", now=NOW)

    assert [one.line_id is None for one in done] == [True, False]


def test_an_imported_yes_without_proof_is_kept_and_opens_nothing():
    aline = person()
    said(aline, said_by=Speaker.IMPORT)

    decision = decide_contact(aline, MAIL, at=NOW)

    assert decision.verdict is Verdict.SKIP
    assert "consent.not_proved" in {reason.code for reason in decision.reasons}
    said(aline, said_by=Speaker.IMPORT, proof_at=BEFORE, how="paper", source="fair of Lyon")
    assert verdict(aline) is Verdict.GO


def test_consent_follows_an_address_only_when_the_person_changed_it():
    aline, bruno = person(), person("Bruno")
    said(aline)
    said(bruno)
    change_person(aline, {"email": "a@new.fr"}, actor="user:1", now=NOW)
    record_own_address_change(
        bruno.pk, channel=Channel.EMAIL, before="bruno@acme.fr", after="b@new.fr", actor="person", now=NOW
    )
    change_person(bruno, {"email": "b@new.fr"}, actor="person", now=NOW)

    assert verdict(aline) is Verdict.SKIP
    assert verdict(bruno) is Verdict.GO


def test_a_number_somebody_adds_later_is_not_the_one_she_agreed_to():
    aline = person(country="GB")
    said(aline, channel=Channel.SMS)
    change_person(aline, {"mobile_phone": "+447700900123"}, actor="user:1", now=NOW)

    decision = decide_contact(aline, Question(Channel.SMS), at=NOW)

    assert decision.verdict is Verdict.SKIP
    assert "consent.other_address" in {reason.code for reason in decision.reasons}


def test_a_notice_is_for_the_address_of_then():
    acme = create_company({"name": "Acme"}, actor="user:1", now=BEFORE)
    aline = person(company=acme.pk)
    said(aline, Kind.NOTICE, channel=Channel.ALL)

    assert verdict(aline) is Verdict.GO
    change_person(aline, {"email": "other@acme.fr"}, actor="user:1", now=NOW)
    assert verdict(aline) is Verdict.SKIP


def test_a_policy_is_tried_on_the_base_before_anybody_approves_it():
    aline = person(country="GB", company=create_company({"name": "Acme"}, actor="user:1", now=BEFORE).pk)
    policy = draft_policy("ours", "lines: [{id: mail, channel: email, need: optin}]", author="user:1", now=NOW)

    now = decide_contacts([aline.pk], MAIL, at=NOW)
    then = decide_contacts([aline.pk], MAIL, at=NOW, book=book_with(policy))

    assert (now[aline.pk].verdict, then[aline.pk].verdict) == (Verdict.GO, Verdict.SKIP)


def test_a_merge_keeps_the_no_of_both_even_when_the_yes_is_later():
    stays, goes = person(), person("Bruno")
    said(stays, at=BEFORE + timedelta(days=10))
    said(goes, Kind.WITHDRAWN, at=BEFORE)

    merge_people(stays, goes, actor="user:1", now=NOW)

    assert decide_contact(stays, MAIL, at=NOW + timedelta(minutes=1)).status is Status.OPTED_OUT
    assert ConsentLine.objects.filter(person=stays).count() == 2


def test_a_block_on_the_company_of_the_one_who_goes_stays():
    acme = create_company({"name": "Acme"}, actor="user:1", now=BEFORE)
    other = create_company({"name": "Volt"}, actor="user:1", now=BEFORE)
    stays, goes = person(company=other.pk), person("Bruno", company=acme.pk)
    said(stays)
    record_statement(NewStatement(Kind.BLOCKED, BEFORE, company_id=acme.pk), actor="user:1", now=NOW)

    assert verdict(goes) is Verdict.SKIP
    assert verdict(stays) is Verdict.GO
    merge_people(stays, goes, actor="user:1", now=NOW)

    assert "consent.company_blocked" in {reason.code for reason in decide_contact(stays, MAIL, at=NOW).reasons}


def test_whoever_was_erased_is_closed_to_imports_and_only_a_new_act_of_hers_reopens():
    aline = person()
    said(aline)
    erase_person(aline, actor="user:1", now=NOW)

    assert not ConsentLine.objects.exists()
    assert Suppression.objects.filter(kind=Kind.ERASED).count() == 1
    assert "aline" not in str(list(Suppression.objects.values()))
    again = person()
    said(again, said_by=Speaker.IMPORT, proof_at=NOW, how="form", source="list")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert decide_contact(again, MAIL, at=later).status is Status.SUPPRESSED
    new = NewStatement(Kind.GIVEN, later, again.pk, channel=Channel.EMAIL)
    record_statement(new, actor="person", now=later)
    assert verdict(again, at=later) is Verdict.GO


def test_a_deleted_person_who_had_said_no_does_not_come_back_as_unknown():
    aline, bruno = person(country="GB"), person("Bruno", country="GB")
    for one in (aline, bruno):
        said(one, Kind.NOTICE, channel=Channel.ALL)
    said(aline, Kind.WITHDRAWN)
    delete_people([aline.pk, bruno.pk], actor="user:1", now=NOW)

    assert Suppression.objects.count() == 1
    later = datetime.now(UTC) + timedelta(minutes=1)
    company = create_company({"name": "Acme"}, actor="user:1", now=BEFORE)
    assert verdict(person(country="GB", company=company.pk), at=later) is Verdict.SKIP
    assert verdict(person("Bruno", country="GB", company=company.pk), at=later) is Verdict.GO


def test_a_registry_file_lists_and_delists():
    aline = person(country="IT", phone="+39 02 1234567")
    call = Question(Channel.PHONE)

    assert "consent.registry_missing" in {reason.code for reason in decide_contact(aline, call, at=NOW).reasons}
    import_registry_file("RPO", ["+39 02 1234567", " "], dated=NOW, actor="user:1", now=NOW)
    assert "consent.listed" in {reason.code for reason in decide_contact(aline, call, at=NOW).reasons}
    import_registry_file("RPO", ["+39021234599"], dated=NOW, actor="user:1", now=NOW)
    assert verdict(aline, call) is Verdict.GO
    assert verdict(aline, call, at=NOW + timedelta(days=16)) is Verdict.SKIP


def test_pauses_wishes_and_bounces_reach_the_gate():
    aline = person()
    said(aline)
    pause_contact(aline.pk, until=NOW + timedelta(hours=2), now=NOW)
    assert decide_contact(aline, MAIL, at=NOW).until == NOW + timedelta(hours=2)
    end_pause(aline.pk, now=NOW)
    assert verdict(aline) is Verdict.GO
    wish_frequency(aline.pk, at_most=1, per="7 days", now=NOW)
    record_sent(aline.pk, Channel.EMAIL, at=NOW - timedelta(days=1))
    assert decide_contact(aline, MAIL, at=NOW).until == NOW + timedelta(days=6)
    record_bounce("Aline@acme.fr", code="5.1.1", text="user unknown", at=NOW)
    assert decide_contact(aline, MAIL, at=NOW).verdict is Verdict.SKIP
    reset_address("aline@acme.fr", at=NOW + timedelta(seconds=1))
    assert decide_contact(aline, MAIL, at=NOW + timedelta(seconds=2)).verdict is Verdict.WAIT


def test_a_sender_waits_for_his_working_hours():
    Workspace.objects.get_or_create(id=1, defaults={"name": "Acme"})
    luc = User.objects.create_user("luc@example.com", name="Luc", time_zone="Europe/Paris")
    aline = person()
    said(aline)

    night = decide_contact(aline, MAIL, at=NOW.replace(hour=22), by=luc)

    assert night.verdict is Verdict.WAIT
    assert night.until == datetime(2026, 11, 25, 8, tzinfo=UTC)


def test_a_yes_without_brand_is_for_the_default_brand():
    Brand.objects.update(is_default=False)
    acme = Brand.objects.create(name="Acme", is_default=True)
    Brand.objects.create(name="Volt")
    aline = person()
    said(aline)

    assert verdict(aline) is Verdict.GO
    assert verdict(aline, Question(Channel.EMAIL, brand=acme.name)) is Verdict.GO
    assert verdict(aline, Question(Channel.EMAIL, brand="Volt")) is Verdict.SKIP


def test_a_thousand_people_cost_as_many_queries_as_one_and_are_answered_alike():
    people = [person(f"P{number}") for number in range(30)]
    for number, one in enumerate(people):
        if number % 3:
            said(one)
        if number % 5 == 0:
            said(one, Kind.WITHDRAWN, at=BEFORE + timedelta(days=number))
    ids = [one.pk for one in people]
    decide_contacts(ids[:1], MAIL, at=NOW)

    with CaptureQueriesContext(
        connection,
    ) as one:
        decide_contacts(ids[:1], MAIL, at=NOW)
    with CaptureQueriesContext(connection) as many:
        together = decide_contacts(ids, MAIL, at=NOW)

    assert len(one) == len(many)
    assert {pk: decide_contact(pk, MAIL, at=NOW) for pk in ids} == together


def test_an_answer_written_in_the_ledger_says_why_afterwards():
    aline = person()
    decided = decide_contacts([aline.pk], MAIL, at=NOW)

    id = record_contact_decisions(decided, MAIL, now=NOW)[0]

    found = find_decision(id)
    assert found is not None
    assert found.verdict is Verdict.SKIP
    assert found.would_change


def test_an_export_holds_every_statement_with_what_proves_it():
    aline = person()
    wording = record_wording("form", language="fr", text="J'accepte.", actor="user:1", now=NOW)
    proof = record_evidence("form", at=BEFORE, actor="user:1", wording=wording, ip="192.0.2.7", source="/demo")
    said(aline, evidence_id=proof.pk, wording_id=wording.pk)

    told = export_person(aline)["consent"]["statements"][0]

    assert (told["wording__text"], told["evidence__ip"]) == ("J'accepte.", "192.0.2.7")


def test_a_policy_of_the_house_is_in_force_once_another_approved_it():
    aline = person(country="GB")
    company = create_company({"name": "Acme"}, actor="user:1", now=BEFORE)
    change_person(aline, {"company": company.pk}, actor="user:1", now=NOW)
    policy = draft_policy("ours", "lines: [{id: mail, channel: email, need: optin}]", author="user:1", now=NOW)

    assert verdict(aline) is Verdict.GO
    with pytest.raises(ApprovalRefused):
        approve_policy(policy, approver="user:1", now=NOW)
    approve_policy(policy, approver="user:2", now=NOW)

    assert book_in_force().house
    assert verdict(aline) is Verdict.SKIP


def test_the_confirmation_mail_goes_to_who_asked_and_to_nobody_else():
    aline = person()
    question = Question(Channel.EMAIL, purpose=Purpose.CONFIRMATION)

    assert verdict(aline, question) is Verdict.SKIP
    said(aline, Kind.PENDING, at=NOW - timedelta(days=1))
    assert verdict(aline, question) is Verdict.GO


@pytest.mark.parametrize(
    ("written", "code"),
    [("France", "FR"), ("fr", "FR"), ("Allemagne", "DE"), ("UK", "GB"), ("Atlantis", ""), (None, "")],
)
def test_a_country_is_known_by_its_code_or_its_name(written, code):
    assert country_code(written) == code


def test_a_box_unticked_in_a_crm_is_no_statement_and_the_conflict_is_shown():
    aline, bruno = person(), person("Bruno")
    said(aline)
    for who, ticked in ((aline, True), (aline, False), (bruno, False)):
        note_opt_out_box(who.pk, source="connection:2", is_opted_out=ticked, at=NOW, actor="connection:2", now=NOW)

    assert decide_contact(aline, MAIL, at=NOW).status is Status.OPTED_OUT
    found = {finding.code: finding for finding in check_consent(NOW)}
    assert found["consent.box_conflicts"].person_ids == (aline.pk,)
    assert "1" in found["consent.box_conflicts"].sentence
    assert ConsentLine.objects.filter(person=bruno).count() == 0


def test_a_box_ticked_again_and_again_is_one_word():
    aline = person()
    first = note_opt_out_box(aline.pk, source="connection:2", is_opted_out=True, at=NOW, actor="connection:2", now=NOW)
    again = note_opt_out_box(aline.pk, source="connection:2", is_opted_out=True, at=NOW, actor="connection:2", now=NOW)

    assert first is not None
    assert again is None


def test_what_is_unproved_or_out_of_date_is_found():
    aline = person()
    said(aline, said_by=Speaker.IMPORT)
    import_registry_file("TPS", ["+442079460000"], dated=BEFORE, actor="user:1", now=NOW)

    assert {finding.code for finding in check_consent(NOW)} == {"consent.unproved", "consent.registry_is_old"}
