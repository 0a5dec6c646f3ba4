"""What the audit log calls the columns of the CRM's tables, and what their values mean."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relance.crm.rules import EventKind, MappingState

from .crm import EVENT_WORDS
from .crm_field_form import CREATES_WORDS
from .crm_rows import BLANK_WORDS, DIRECTION_WORDS, TRANSFORM_WORDS

COLUMN_WORDS: dict[str, Promise] = {
    "approved_at": _("Approved on"),
    "approved_by_id": _("Approved by"),
    "at": _("When"),
    "blank": _("When the side that is right is blank"),
    "by_id": _("Who"),
    "connection_id": _("Connection"),
    "creates": _("Who is created in the CRM"),
    "crm_field": _("Field of the CRM"),
    "crm_username": _("User in the CRM"),
    "details": _("Details"),
    "direction": _("Direction"),
    "dry_run": _("Dry run"),
    "external_id_field": _("Field of our number"),
    "field_key": _("Field"),
    "instance_url": _("Address of the organisation"),
    "is_sandbox": _("Sandbox"),
    "kind": _("What happened"),
    "made_at": _("Made on"),
    "made_by_id": _("Made by"),
    "mapping_id": _("Version of the fields"),
    "number": _("Place"),
    "object": _("Object"),
    "object_mapping_id": _("Object"),
    "org_id": _("Number of the organisation"),
    "org_name": _("Organisation"),
    "owner": _("Who is right"),
    "secrets": _("Secrets"),
    "state": _("State"),
    "subject": _("Subject"),
    "transform": _("What comes in is read"),
    "value_map": _("Table of values"),
    "version": _("Version"),
    "why": _("Why?"),
}

VALUE_WORDS: dict[str, dict[str, str | Promise]] = {
    "kind": {kind.value: EVENT_WORDS[kind][0] for kind in EventKind},
    "state": {
        MappingState.DRAFT.value: _("draft"),
        MappingState.APPROVED.value: _("approved"),
        MappingState.RETIRED.value: _("replaced"),
    },
    "creates": {word.value: said for word, said in CREATES_WORDS.items()},
    "blank": {word.value: said for word, said in BLANK_WORDS.items()},
    "direction": {word.value: said for word, said in DIRECTION_WORDS.items()},
    "transform": {word.value: said for word, said in TRANSFORM_WORDS.items()},
}
