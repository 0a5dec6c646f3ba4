"""What fields are called on pages, by their key in the catalogue of people or of companies."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from relance.people.catalogue import Subject, fields_of
from relance.people.change import RELATIONS, field_labels

_MAPPING = re.compile(r"mapping:\d+@(\d+)")


def field_label(key: str) -> str:
    """The field's name in the reader's language; the key itself for a field that is no more."""
    if key in RELATIONS[Subject.PERSON]:
        return field_labels(Subject.PERSON, [key])[key]
    return next((str(spec.label) for subject in Subject for spec in fields_of(subject) if spec.key == key), key)


def policy_label(policy: str) -> str:
    """What was in force when something was decided: the version of the CRM fields, or the policy as it names itself."""
    found = _MAPPING.fullmatch(policy)
    return _("version %(number)s of the CRM fields") % {"number": found[1]} if found else policy
