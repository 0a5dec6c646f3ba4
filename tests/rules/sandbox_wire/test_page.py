"""The page the sandbox serves itself: what it shows, what its buttons do, and to whom it refuses."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest

from relance.sandbox.actors import ACTORS
from relance.sandbox.fault_kinds import KINDS
from relance.sandbox.page import TOLD
from relance.sandbox.page_words import FRENCH

from .conftest import Desk


def shown(desk: Desk, address: str, language: str = "en") -> str:
    response = desk.ask("GET", address, bare=True, headers={"Accept-Language": language})
    assert response.status == 200, response.body
    return response.body.decode()


def press(desk: Desk, address: str, origin: str = "", **fields: str) -> tuple[int, str]:
    headers = {"Origin": origin} if origin else {}
    response = desk.ask("POST", address, urlencode(fields).encode(), bare=True, headers=headers)
    return response.status, response.headers.get("Location", "")


def lead(desk: Desk, name: str = "Aline") -> str:
    return str(desk.query(f"SELECT Id FROM Lead WHERE LastName = '{name}'")["records"][0]["Id"])


def test_records_are_listed_and_found_by_what_they_contain(desk: Desk):
    assert {"Aline", "Bruno"} <= set(re.findall(r"[A-Z]\w+", shown(desk, "/")))
    found = shown(desk, "/?object=Lead&contains=alpha.example")

    assert "Aline" in found
    assert "Bruno" not in found


def test_the_page_speaks_the_reader_s_language(desk: Desk):
    assert "Un CRM pour de faux" in shown(desk, "/", "fr-FR,fr;q=0.9,en;q=0.8")
    assert 'lang="fr"' in shown(desk, "/", "de, fr")
    assert "A pretend CRM" in shown(desk, "/", "en-GB")


def test_what_is_shown_is_escaped(desk: Desk):
    desk.ask("POST", "sobjects/Lead", {"LastName": "<script>alert(1)</script>", "Company": "X"})

    assert "<script>" not in shown(desk, "/")
    assert "&lt;script&gt;" in shown(desk, "/")


def test_a_button_deletes_another_takes_back_and_the_reader_is_told(desk: Desk):
    record = lead(desk)
    back = f"/sandbox/records/{record}"

    status, address = press(desk, "/sandbox/page/act", actor="delete", record=record, back=back)

    assert (status, address) == (303, f"{back}?done=1")
    assert "in the bin" in shown(desk, address)
    assert press(desk, "/sandbox/page/act", actor="undelete", record=record, back=back)[1].endswith("done=1")
    assert desk.names("LastName = 'Aline'") == ["Aline"]


def test_a_field_is_edited_and_a_refusal_is_shown_in_the_org_s_words(desk: Desk):
    record = lead(desk)
    edit = {"actor": "edit", "record": record, "back": f"/sandbox/records/{record}"}
    press(desk, "/sandbox/page/act", field="Company", value="Delta", **edit)

    _status, address = press(desk, "/sandbox/page/act", field="Email", value="no mail", **edit)

    assert desk.names("Company = 'Delta'") == ["Aline"]
    assert "INVALID_EMAIL_ADDRESS" in shown(desk, address)


def test_every_tab_and_every_record_can_be_opened(desk: Desk):
    for tab in ("records", "admin", "faults", "log"):
        assert "<section" in shown(desk, f"/?show={tab}", "fr")
    for record in desk.query("SELECT Id FROM Contact")["records"]:
        assert "MailingCity" in shown(desk, f"/sandbox/records/{record['Id']}")
    assert desk.ask("GET", "/sandbox/records/00Q000000000000AAA", bare=True).status == 404


def test_faults_are_started_and_ended_from_the_page(desk: Desk):
    press(desk, "/sandbox/page/faults", kind="rate_total", times="1", object="Lead")
    (fault,) = desk.org.faults.all()
    assert fault.id in shown(desk, "/?show=faults")

    press(desk, "/sandbox/page/faults", end=fault.id)

    assert desk.org.faults.all() == []


def test_another_site_cannot_press_the_buttons(desk: Desk):
    status, _address = press(desk, "/sandbox/page/act", "https://evil.example", actor="delete", record=lead(desk))

    assert status == 403
    assert desk.names("LastName = 'Aline'") == ["Aline"]


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example"])
def test_the_reader_is_never_sent_elsewhere(desk: Desk, back: str):
    assert press(desk, "/sandbox/page/act", actor="purge", back=back)[1] == "/?done=1"


def test_every_word_of_the_page_has_its_french(desk: Desk):
    said = {each.says for each in ACTORS.values()} | {kind.says for kind in KINDS.values() if kind.name != "actor"}

    assert said | set(TOLD.values()) <= set(FRENCH)
