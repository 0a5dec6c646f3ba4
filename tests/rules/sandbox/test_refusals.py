"""What the org refuses, in the platform's own codes and words."""

from __future__ import annotations

import pytest

from relance.sandbox.outcomes import Caller, WriteOptions

from .conftest import kept, told

ADMIN_TEXT = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write"
    " for your profile or permission set."
)
BASE = {"LastName": "Aline", "Company": "Vernier"}


def insert(bench, values, object_name="Lead", caller=None, **options):
    return bench.records.insert(caller or bench.admin, object_name, values, WriteOptions(**options))


@pytest.mark.parametrize(
    ("values", "code", "message", "fields"),
    [
        ({"Company": "Vernier"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",)),
        (
            {"LastName": "  "},
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [LastName, Company]",
            ("LastName", "Company"),
        ),
        ({**BASE, "Inconnu__c": 1}, "INVALID_FIELD", "No such column 'Inconnu__c' on sobject of type Lead", ()),
        (
            {**BASE, "IsConverted": True},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ADMIN_TEXT.format("IsConverted"),
            ("IsConverted",),
        ),
        (
            {**BASE, "Anciennete_Jours__c": 3},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ADMIN_TEXT.format("Anciennete_Jours__c"),
            ("Anciennete_Jours__c",),
        ),
        ({**BASE, "Name": "Aline V."}, "INVALID_FIELD_FOR_INSERT_UPDATE", ADMIN_TEXT.format("Name"), ("Name",)),
        (
            {**BASE, "Id": "00Qd00000000001AAA"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call",
            ("Id",),
        ),
        (
            {**BASE, "City": "x" * 41},
            "STRING_TOO_LONG",
            f"City: data value too large: {'x' * 41} (max length=40)",
            ("City",),
        ),
        ({**BASE, "Email": "aline@"}, "INVALID_EMAIL_ADDRESS", "Email: invalid email address: aline@", ("Email",)),
        (
            {**BASE, "Email": "a line@b.example"},
            "INVALID_EMAIL_ADDRESS",
            "Email: invalid email address: a line@b.example",
            ("Email",),
        ),
        (
            {**BASE, "Niveau_Poste__c": "Stagiaire"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Niveau de poste: bad value for restricted picklist field: Stagiaire",
            ("Niveau_Poste__c",),
        ),
        (
            {**BASE, "Score_Relance__c": 10000},
            "NUMBER_OUTSIDE_VALID_RANGE",
            "Score Relance: value outside of valid range on numeric field: 10000",
            ("Score_Relance__c",),
        ),
        (
            {**BASE, "Score_Relance__c": "beaucoup"},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of double from VALUE_STRING value beaucoup or request may be missing a required field"
            " at [line:1, column:1]",
            (),
        ),
        (
            {**BASE, "City": 75},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of string from VALUE_NUMBER_INT value 75 or request may be missing a required field"
            " at [line:1, column:1]",
            (),
        ),
        (
            {**BASE, "Date_Premier_Contact__c": "2026-02-30"},
            "JSON_PARSER_ERROR",
            "Cannot deserialize instance of date from VALUE_STRING value 2026-02-30 or request may be missing a required field"
            " at [line:1, column:1]",
            (),
        ),
        ({**BASE, "OwnerId": "Denis"}, "MALFORMED_ID", "Owner ID: id value of incorrect type: Denis", ("OwnerId",)),
        (
            {**BASE, "OwnerId": "003d00000000001AAA"},
            "FIELD_INTEGRITY_EXCEPTION",
            "Owner ID: id value of incorrect type: 003d00000000001AAA",
            ("OwnerId",),
        ),
        (
            {**BASE, "OwnerId": "005d00000000001AAA"},
            "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id",
            ("OwnerId",),
        ),
        (
            {**BASE, "Status": "Disqualifié"},
            "FIELD_CUSTOM_VALIDATION_EXCEPTION",
            "Indiquez la raison de la disqualification.",
            ("Raison_Disqualification__c",),
        ),
    ],
)
def test_a_lead_is_refused_with_the_platforms_words(hexalis, values, code, message, fields):
    assert told(insert(hexalis, values)) == (code, message, fields)
    assert hexalis.one('SELECT count(*) FROM "Lead"') == "0"


def test_bulk_text_is_the_rows_error_where_json_is_the_requests(hexalis):
    told_of_bulk = told(insert(hexalis, {**BASE, "Score_Relance__c": "beaucoup"}, as_text=True))

    assert told_of_bulk == (
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "Score Relance: value not of required type: beaucoup",
        ("Score_Relance__c",),
    )


def test_several_bad_values_are_told_together(hexalis):
    saved = insert(hexalis, {**BASE, "Email": "x", "City": "x" * 50, "Langue__c": "klingon"})

    assert [error.code for error in saved.errors] == [
        "INVALID_EMAIL_ADDRESS",
        "STRING_TOO_LONG",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ]


def test_every_validation_rule_that_fires_is_told(complete):
    account = kept(insert(complete, {"Name": "Vernier"}, "Account"))
    record = kept(insert(complete, {"Texte__c": "a", "Compte__c": account}, "Tout__c"))

    saved = complete.records.update(complete.admin, "Tout__c", record, {"Texte__c": "b", "Nombre__c": -1})

    assert {error.message for error in saved.errors} == {"Le nombre est négatif.", "Le texte ne change plus."}
    assert {error.code for error in saved.errors} == {"FIELD_CUSTOM_VALIDATION_EXCEPTION"}


def test_a_custom_permission_exempts_from_the_rule_that_names_it(complete):
    record = kept(insert(complete, {"Texte__c": "a"}, "Tout__c"))
    exempt = Caller(complete.admin.user_id, True, complete.guest("Codes").permissions)

    assert complete.records.update(exempt, "Tout__c", record, {"Texte__c": "b"}).success


def test_a_unique_value_names_the_record_that_has_it(hexalis):
    first = hexalis.lead(Relance_Id__c="R-1")

    assert told(insert(hexalis, {**BASE, "Relance_Id__c": "r-1"})) == (
        "DUPLICATE_VALUE",
        f"duplicate value found: Relance_Id__c duplicates value on record with id: {first[:15]}",
        (),
    )


def test_a_unique_value_may_know_its_case(complete):
    kept(insert(complete, {"Texte__c": "abc"}, "Tout__c"))

    assert insert(complete, {"Texte__c": "ABC"}, "Tout__c").success
    assert told(insert(complete, {"Texte__c": "abc"}, "Tout__c"))[0] == "DUPLICATE_VALUE"


def test_a_deleted_record_leaves_its_unique_value_free(hexalis):
    gone = hexalis.lead(Relance_Id__c="R-1")
    hexalis.records.delete(hexalis.admin, "Lead", gone)

    assert insert(hexalis, {**BASE, "Relance_Id__c": "R-1"}).success


def test_an_inactive_user_owns_nothing_new(hexalis):
    left = hexalis.user("Bastien", active=False)

    assert told(insert(hexalis, {**BASE, "OwnerId": left}, auto_assign=False)) == (
        "INACTIVE_OWNER_OR_USER",
        f"operation performed with inactive user [{left[:15]}] as owner of lead",
        ("OwnerId",),
    )


def test_a_record_whose_owner_has_left_can_still_be_changed(hexalis):
    left = hexalis.user("Bastien")
    lead = hexalis.lead()
    assert hexalis.records.update(
        hexalis.admin, "Lead", lead, {"OwnerId": left}, WriteOptions(auto_assign=False)
    ).success
    hexalis.records.update(hexalis.admin, "User", left, {"IsActive": False})

    saved = hexalis.records.update(hexalis.admin, "Lead", lead, {"City": "Lyon"}, WriteOptions(auto_assign=False))

    assert saved.success


def test_a_queue_owns_only_what_it_serves(complete):
    served = complete.one('SELECT "Id" FROM "Group" WHERE "DeveloperName" = \'Accueil\'')
    other = complete.one('SELECT "Id" FROM "Group" WHERE "DeveloperName" = \'Dossiers\'')

    assert insert(complete, {**BASE, "OwnerId": served}, auto_assign=False).success
    assert told(insert(complete, {**BASE, "OwnerId": other}, auto_assign=False))[0] == "INVALID_OPERATION"
    contact = insert(complete, {"LastName": "Aline", "OwnerId": served}, "Contact")
    assert told(contact) == (
        "OP_WITH_INVALID_USER_TYPE_EXCEPTION",
        "Operation not valid for this user type",
        ("OwnerId",),
    )


def test_a_record_type_must_be_of_the_object_and_active(complete):
    closed = complete.one('SELECT "Id" FROM "RecordType" WHERE "DeveloperName" = \'Ferme\'')

    code, message, fields = told(insert(complete, {"Texte__c": "a", "RecordTypeId": closed}, "Tout__c"))

    assert (code, fields) == ("INVALID_CROSS_REFERENCE_KEY", ("RecordTypeId",))
    assert message == f"Record Type ID: this ID value isn't valid for the user: {closed}"


def test_a_record_type_narrows_a_restricted_list(complete):
    simple = complete.one('SELECT "Id" FROM "RecordType" WHERE "DeveloperName" = \'Simple\'')
    values = {"Texte__c": "a", "RecordTypeId": simple}

    assert insert(complete, {**values, "Choix__c": "Deux"}, "Tout__c").success
    refused = told(insert(complete, {"Texte__c": "b", "RecordTypeId": simple, "Choix__c": "Un"}, "Tout__c"))
    assert refused[0] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


@pytest.mark.parametrize("value", ["Ancien trois", "Quatre"])
def test_a_retired_value_is_as_bad_as_an_unknown_one(complete, value):
    assert told(insert(complete, {"Texte__c": "a", "Choix__c": value}, "Tout__c"))[0] == (
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )


def test_a_detail_cannot_be_moved_to_another_master(complete):
    one, two = (kept(insert(complete, {"Texte__c": text}, "Tout__c")) for text in "ab")
    detail = kept(insert(complete, {"Tout__c": one}, "Detail__c"))

    assert told(complete.records.update(complete.admin, "Detail__c", detail, {"Tout__c": two}))[0] == (
        "INVALID_FIELD_FOR_INSERT_UPDATE"
    )


class TestRights:
    """What a user without all rights is told."""

    def test_an_object_closed_to_creation(self, complete):
        guest = complete.guest("Lecture & saisie")

        assert told(insert(complete, {"Name": "Vernier"}, "Account", guest)) == (
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "entity type cannot be inserted: Account",
            (),
        )

    def test_a_hidden_field_is_told_as_one_that_does_not_exist(self, complete):
        guest = complete.guest("Lecture & saisie")

        assert told(insert(complete, {**BASE, "Code__c": "x"}, caller=guest)) == (
            "INVALID_FIELD",
            "No such column 'Code__c' on sobject of type Lead",
            (),
        )

    def test_a_field_open_to_reading_only(self, complete):
        guest = complete.guest("Lecture & saisie")

        assert (
            told(insert(complete, {**BASE, "Vieux__c": "Avant"}, caller=guest))[0] == "INVALID_FIELD_FOR_INSERT_UPDATE"
        )

    def test_a_permission_set_adds_to_the_profile(self, complete):
        guest = complete.guest("Lecture & saisie", "Codes")

        lead = kept(insert(complete, {**BASE, "Code__c": "x"}, caller=guest))
        seen = complete.records.read(guest, "Lead", lead)
        assert seen is not None
        assert seen["Code__c"] == "x"
        assert "Industry" not in seen

    def test_a_record_that_may_not_be_deleted_stays(self, complete):
        guest, lead = complete.guest("Lecture & saisie"), complete.lead()

        assert told(complete.records.delete(guest, "Lead", lead)) == (
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "insufficient access rights on object id",
            (),
        )

    def test_an_object_closed_to_reading_has_no_records(self, complete):
        guest = complete.guest("Lecture & saisie")
        campaign = kept(insert(complete, {"Name": "Salon"}, "Campaign"))

        assert complete.records.read(guest, "Campaign", campaign) is None
        assert (
            told(complete.records.update(guest, "Campaign", campaign, {"Name": "x"}))[0]
            == "INVALID_CROSS_REFERENCE_KEY"
        )

    def test_a_lookup_to_what_one_may_not_see(self, complete):
        guest = complete.guest("Lecture & saisie", "Codes")
        hidden = Caller(guest.user_id, permissions=guest.permissions)
        hidden.permissions.objects["contact"] = frozenset({"read", "create"})
        hidden.permissions.objects["account"] = frozenset()
        account = kept(insert(complete, {"Name": "Vernier"}, "Account"))

        code, message, _fields = told(insert(complete, {"LastName": "Aline", "AccountId": account}, "Contact", hidden))
        assert code == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
        assert message == f"insufficient access rights on cross-reference id: {account[:15]}"


@pytest.mark.parametrize(
    ("record_id", "code", "message"),
    [
        ("00Qd00000000zzz", "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ("003d00000000001AAA", "MALFORMED_ID", "Lead ID: id value of incorrect type: 003d00000000001AAA"),
        ("x", "MALFORMED_ID", "Lead ID: id value of incorrect type: x"),
    ],
)
def test_a_record_that_is_not_there_cannot_be_changed(hexalis, record_id, code, message):
    saved = hexalis.records.update(hexalis.admin, "Lead", record_id, {"City": "Lyon"})

    assert told(saved)[:2] == (code, message)


def test_an_unknown_object_is_told_by_its_name(hexalis):
    assert told(insert(hexalis, {}, "Navire__c")) == ("INVALID_TYPE", "sObject type 'Navire__c' is not supported.", ())
