"""What users own and teams have in this room: people and companies. They change hands in batches, each with its line in the log."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.utils.translation import gettext_lazy as _

from relance.activity.actions import NewActivity, append_activities
from relance.workspace.auditing import current_actor
from relance.workspace.holdings import Holding, declare_holding

from .catalogue import Subject
from .change import KINDS
from .models import Company, Person

BATCH = 2000
OWNED: dict[Subject, type[Person] | type[Company]] = {Subject.PERSON: Person, Subject.COMPANY: Company}


def count_held(subject: Subject, relation: str, id: int) -> int:
    """How many belong to this owner or team (`relation` is owner or team)."""
    return OWNED[subject].objects.filter(**{f"{relation}_id": id}).count()


def change_hands(subject: Subject, relation: str, id: int, other_id: int | None, now: datetime) -> int:
    """Give all that belong to one owner or team to another, or to nobody, in the caller's transaction; returns how many."""
    if other_id == id:
        return 0
    actor, moved = current_actor(), 0
    rows = OWNED[subject].objects
    label = str(OWNED[subject]._meta.get_field(relation).verbose_name).capitalize()  # type: ignore[union-attr]
    payload = {"names": label, "changes": [{"field": relation, "before": id, "after": other_id}]}
    while ids := list(rows.filter(**{f"{relation}_id": id}).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        rows.filter(pk__in=ids).update(**{f"{relation}_id": other_id, "updated_at": now})
        kind = f"{KINDS[subject]}.changed"
        append_activities(
            (NewActivity(kind, actor, payload=payload, **{f"{subject.value}_id": pk}) for pk in ids), now=now
        )
        moved += len(ids)
    return moved


for _subject, _says in ((Subject.PERSON, _("People")), (Subject.COMPANY, _("Companies"))):
    declare_holding(
        Holding(
            _subject.value,
            _says,
            count_of_user=partial(count_held, _subject, "owner"),
            hand_over=partial(change_hands, _subject, "owner"),
            count_of_team=partial(count_held, _subject, "team"),
            move=partial(change_hands, _subject, "team"),
        )
    )
