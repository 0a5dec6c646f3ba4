"""What the sync keeps about a person: her links to records, what waits, what was refused, and the values noted as not agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from relance.lib import sql
from relance.people.catalogue import Subject
from relance.people.personal import Keeper, register_keeper

from .models import CrmLink, DirtyField, PushError, QueuedPush


def _merge(winner: int, losers: Sequence[int]) -> None:
    """The winner takes every record; one leads as before, and its values are compared afresh with hers."""
    sql.run("crm", "merge_links", winner=winner, losers=list(losers))
    _forget(losers)


def _forget(person_ids: Sequence[int]) -> None:
    about = {"subject": Subject.PERSON.value, "subject_id__in": list(person_ids)}
    for model in (DirtyField, QueuedPush, PushError):
        model.objects.filter(**about).delete()


def _export(person_id: int) -> Mapping[str, Any]:
    about = {"subject": Subject.PERSON.value, "subject_id": person_id}
    links = CrmLink.objects.filter(person_id=person_id).order_by("id")
    errors = PushError.objects.filter(**about).order_by("id")
    return {
        "records": list(links.values("connection__name", "object", "crm_id", "role", "linked_at", "deleted_at")),
        "refused": list(errors.values("object", "code", "message", "body", "first_at", "last_at", "resolved_at")),
    }


def _erase(person_ids: Sequence[int]) -> None:
    CrmLink.objects.filter(person_id__in=list(person_ids)).delete()
    _forget(person_ids)


def _holds(person_ids: Sequence[int]) -> Mapping[int, str]:
    """Somebody with a record in a CRM does not vanish because an import is undone."""
    links = CrmLink.objects.filter(person_id__in=list(person_ids), deleted_at=None).select_related("connection")
    return {
        link.person_id: _("Linked to %(object)s %(crm_id)s in %(crm)s.")
        % {"object": link.object, "crm_id": link.crm_id, "crm": link.connection.name}
        for link in links
        if link.person_id
    }


register_keeper(Keeper("crm", _merge, _export, _erase, _holds))
