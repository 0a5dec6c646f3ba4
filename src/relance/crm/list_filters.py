"""What the lists of people and companies can be filtered by when there is a CRM: has a record there, was refused by it."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from relance.people.catalogue import Subject
from relance.people.filters import register_state

from .models import CrmLink, PushError


def _in_crm(subject: Subject) -> Callable[[], Q]:
    return lambda: Q(Exists(CrmLink.objects.filter(**{subject.value: OuterRef("pk")}, deleted_at=None)))


def _refused_by_crm(subject: Subject) -> Callable[[], Q]:
    waiting = PushError.objects.filter(subject=subject.value, subject_id=OuterRef("pk"), resolved_at=None)
    return lambda: Q(Exists(waiting))


for _subject in Subject:
    register_state(_subject, "in_crm", _("In the CRM"), _in_crm(_subject))
    register_state(_subject, "refused_by_crm", _("Refused by the CRM"), _refused_by_crm(_subject))
