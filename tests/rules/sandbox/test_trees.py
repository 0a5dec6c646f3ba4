"""Source trees: every kind of metadata is taken, and what cannot be is told in a line of its own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from relance.sandbox.outcomes import Caller
from relance.sandbox.records import Records
from relance.sandbox.seed import seed_org
from relance.sandbox.standard import standard_schema
from relance.sandbox.store import Store
from relance.sandbox.tree import read_tree

from .conftest import HEXALIS, ORGS, Clock, kept

BESIDE = Path(os.environ.get("RELANCE_ORGS") or Path(__file__).parents[4] / "shared" / "orgs")
REAL_TREES = sorted(path for path in BESIDE.iterdir() if path.is_dir()) if BESIDE.is_dir() else []
NO_REAL_TREES = pytest.param(
    None, marks=pytest.mark.skip(reason=f"no trees in {BESIDE}; RELANCE_ORGS names another folder")
)


@pytest.fixture(scope="module")
def tout():
    """The object of tests/orgs/complete that has a field of every type."""
    return read_tree(ORGS / "complete").objects["Tout__c"].fields


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Auto__c", "string"),
        ("Case__c", "boolean"),
        ("Montant__c", "currency"),
        ("Jour__c", "date"),
        ("Instant__c", "datetime"),
        ("Courriel__c", "email"),
        ("Secret__c", "encryptedstring"),
        ("Riche__c", "textarea"),
        ("Lieu__c", "location"),
        ("Lieu__Latitude__s", "double"),
        ("Long__c", "textarea"),
        ("Compte__c", "reference"),
        ("Choix__c", "picklist"),
        ("Plusieurs__c", "multipicklist"),
        ("Nombre__c", "double"),
        ("Taux__c", "percent"),
        ("Telephone__c", "phone"),
        ("Texte__c", "string"),
        ("Zone__c", "textarea"),
        ("Heure__c", "time"),
        ("Site__c", "url"),
        ("Est_Gros__c", "boolean"),
        ("Echeance__c", "date"),
        ("Total__c", "currency"),
        ("Nb_Details__c", "double"),
    ],
)
def test_every_metadata_type_becomes_the_type_describe_tells(tout, name, kind):
    assert tout[name].type == kind


def test_a_field_keeps_what_its_file_says(tout):
    text, choice, shared = tout["Texte__c"], tout["Choix__c"], tout["Partage__c"]

    assert (text.length, text.required, text.unique, text.case_sensitive, text.external_id) == (
        10,
        True,
        True,
        True,
        True,
    )
    assert [(v.value, v.active, v.default) for v in choice.picklist] == [
        ("Un", True, True),
        ("Deux", True, False),
        ("Ancien trois", False, False),
    ]
    assert choice.restricted
    assert [v.value for v in shared.picklist] == ["Bleu", "Blanc"]
    assert tout["Dependant__c"].valid_for == {"Petit": ("Un",)}
    assert (tout["Compte__c"].relationship, tout["Compte__c"].child_relationship) == ("Compte__r", "Touts__r")


def test_formulas_and_roll_ups_are_closed_to_clients(tout):
    closed = [tout[name] for name in ("Double__c", "Phrase__c", "Total__c", "Auto__c", "Lieu__c")]

    assert not any(field.createable or field.updateable for field in closed)


def test_a_detail_has_no_owner_and_cannot_be_moved():
    detail = read_tree(ORGS / "complete").objects["Detail__c"]

    assert "OwnerId" not in detail.fields
    assert detail.fields["Tout__c"].required
    assert not detail.fields["Tout__c"].updateable


def test_all_package_directories_are_read_and_names_are_as_written():
    schema = read_tree(ORGS / "complete")

    assert "Code_Contact__c" in schema.objects["Lead"].fields  # from extra-app
    assert "Code__c" in schema.objects["Contact"].fields
    assert schema.namespace == "essai"
    assert "essai__Tout__c" not in schema.objects
    assert schema.api_version == "61.0"


def test_parts_kept_inside_an_older_object_file_are_taken_too():
    older = read_tree(ORGS / "complete").objects["Ancien__c"]

    assert "Reste__c" in older.fields
    assert [each.developer_name for each in older.record_types] == ["Interne"]
    assert [each.name for each in older.validation_rules] == ["Reste_Court"]


def test_fields_of_activities_show_on_tasks_and_events():
    schema = read_tree(ORGS / "complete")

    assert "Canal__c" in schema.objects["Task"].fields
    assert "Canal__c" in schema.objects["Event"].fields


def test_the_kinds_of_objects_are_told_apart():
    objects = read_tree(ORGS / "complete").objects

    assert {
        name: objects[name].kind for name in ("Reglage__c", "Regle__mdt", "Signal__e", "Fournisseur__x", "Archive__b")
    } == {
        "Reglage__c": "setting",
        "Regle__mdt": "metadata",
        "Signal__e": "event",
        "Fournisseur__x": "external",
        "Archive__b": "big",
    }
    assert not objects["Regle__mdt"].createable


def test_record_types_decode_their_values_and_take_their_process():
    lead = read_tree(ORGS / "complete").objects["Lead"]

    assert lead.record_types[0].picklists == {"LeadSource": ("Appel . entrant",), "Status": ("Ouvert",)}


def test_rules_queues_and_conversion_are_read():
    schema = read_tree(ORGS / "complete")

    assert [(each.name, each.filter, len(each.items)) for each in schema.matching_rules if each.object == "Lead"] == [
        ("Nom_Ville", "(1 AND 2) OR 3", 3)
    ]
    rule = schema.duplicate_rules[0]
    assert (rule.on_insert, rule.on_update, rule.operations_on_insert) == ("Allow", "Block", ("Alert", "Report"))
    assert rule.matches == (("Lead", "Nom_Ville"), ("Contact", "Email_Contact"))
    assert [(each.name, each.active) for each in schema.assignment_rules] == [
        ("Courante", True),
        ("Par_Formule", False),
    ]
    assert {queue.name: queue.objects for queue in schema.queues} == {"Accueil": ("Lead",), "Dossiers": ("Case",)}
    assert schema.convert_mappings is not None
    assert schema.convert_mappings[0].fields == (("Code__c", "Code__c"),)
    assert {each.name: each.is_profile for each in schema.permission_sets} == {"Codes": False, "Lecture & saisie": True}


def test_a_tree_without_conversion_settings_is_not_one_that_maps_nothing():
    assert read_tree(ORGS / "broken").convert_mappings is None


@pytest.mark.parametrize(
    "line",
    [
        "nowhere: the package directory does not exist",
        "../complete: the package directory lies outside the tree, and is not read",
        "force-app/main/default/objects/Lead/fields/Coupe__c.field-meta.xml: broken XML",
        "force-app/main/default/objects/Lead/fields/Vide__c.field-meta.xml: broken XML",
        "force-app/main/default/objects/Lead/fields/Bombe__c.field-meta.xml: it declares a DOCTYPE",
        "force-app/main/default/objects/Lead/fields/Bombe16__c.field-meta.xml: it declares a DOCTYPE",
        "force-app/main/default/objects/Lead/fields/Etrange__c.field-meta.xml: Lead.Etrange__c is a field of the unknown type",
        "force-app/main/default/objects/Lead/fields/Sans_Type__c.field-meta.xml: Lead.Sans_Type__c is a field without a type",
        "force-app/main/default/objects/Lead/fields/Somme__c.field-meta.xml: Lead.Somme__c is a roll-up of nothing",
        "Quote: a standard object the sandbox does not know",
        "Lead.Liste_Perdue__c: its value set Absente is not in the tree",
        "Lead.Vers_Rien__c: it looks up Navire__c, absent from the tree",
        "Lead.Illisible: its formula cannot be evaluated here",
        "Lead.Champ_Absent: its formula reads Jamais_Vu__c, which the org does not have; the rule is not enforced",
        "Lead.Mal_Formule__c: its formula cannot be evaluated here",
        "Lead.Defaut__c: its formula cannot be evaluated here",
        "Lead.Orpheline: its matching rule Standard_Lead_Match_Rule_v1_0 on Lead is not in the tree",
        "Lead.R: it assigns to the queue File_Absente, absent from the tree",
        "flow: 2 files of a kind the sandbox does not read",
        "chose: 1 file of a kind the sandbox does not read",
    ],
)
def test_each_thing_skipped_in_a_broken_tree_has_its_line(line):
    assert [told for told in read_tree(ORGS / "broken").skipped if told.startswith(line)]


def test_a_broken_tree_still_gives_an_org_that_works(stand_up):
    bench = stand_up(ORGS / "broken")

    lead = bench.lead(Bon__c="x", Latin__c="été", Sans_Espace_De_Noms__c="y", Liste_Perdue__c="n'importe quoi")
    assert bench.row("Lead", lead)["Latin__c"] == "été"
    assert bench.schema.objects["Lead"].fields["Latin__c"].label == "Été"


def test_a_folder_that_is_no_project_is_read_as_a_whole(tmp_path):
    shutil.copytree(HEXALIS / "force-app", tmp_path / "anywhere")

    schema = read_tree(tmp_path)

    assert "Licence__c" in schema.objects
    assert schema.skipped == ["sfdx-project.json: there is none, so every folder of the tree is read"]


def test_an_unreadable_project_file_is_told_and_passed_over(tmp_path):
    (tmp_path / "sfdx-project.json").write_text("{")

    assert read_tree(tmp_path).skipped[0].startswith("sfdx-project.json: unreadable")


def test_a_missing_folder_is_not_an_empty_tree(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tree(tmp_path / "none")


def test_a_large_tree_is_taken_whole(tmp_path):
    fields = tmp_path / "force-app/main/default/objects/Grand__c/fields"
    fields.mkdir(parents=True)
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    for number in range(1500):
        (fields / f"Champ_{number}__c.field-meta.xml").write_text(
            f"<CustomField><fullName>Champ_{number}__c</fullName><length>9</length><type>Text</type></CustomField>"
        )
    for number in range(1500):
        (fields.parent / f"Page_{number}.layout-meta.xml").write_text("<Layout/>")

    schema = read_tree(tmp_path)
    store = Store(tmp_path / "org.sqlite3", schema)

    assert len([each for each in schema.objects["Grand__c"].fields if each.custom]) == 1500
    assert schema.skipped == ["layout: 1500 files of a kind the sandbox does not read"]
    assert len(store.connection().execute("PRAGMA table_info(Grand__c)").fetchall()) > 1500


def test_every_reference_of_a_standard_object_leads_to_one():
    objects = standard_schema().objects

    lost = [(t.name, f.name, to) for t in objects for f in t.fields for to in f.reference_to if to not in objects]
    assert lost == []


@pytest.mark.parametrize("tree", REAL_TREES or [NO_REAL_TREES], ids=lambda tree: tree.name if tree else "none")
def test_a_real_tree_stands_up_and_takes_people(tree, tmp_path):
    schema = read_tree(tree)
    records = Records(Store(tmp_path / "org.sqlite3", schema), schema, Clock())
    admin = Caller(seed_org(records, None).user_id, all_rights=True)

    company = kept(records.insert(admin, "Account", {"Name": "Vernier"}))
    contact = kept(records.insert(admin, "Contact", {"LastName": "Aline", "AccountId": company}))
    found = records.read(admin, "Contact", contact)

    assert found is not None
    assert found["AccountId"] == company
    assert all(thing.key_prefix for thing in schema.objects)
    assert [line for line in schema.skipped if "broken XML" in line and "Newsletter_Incoming__c" not in line] == []
