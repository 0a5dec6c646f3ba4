"""Values on their way out: as the CRM wants them, and as text to compare with later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from relance.people.catalogue import FieldKind

from .dialect import CrmValue
from .plan import FieldPlan, ObjectPlan
from .rules import Transform


def crm_value(field: FieldPlan, value: Any) -> CrmValue:
    """Our value as the CRM takes it: the transform undone or done, dates spelt, several choices in one text."""
    if value is None or value == "" or value == []:
        return None
    match value:
        case bool() | int():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        case date():
            return value.isoformat()
        case list():
            return ";".join(str(part) for part in value)
        case _:
            return _text(field, str(value))


def _text(field: FieldPlan, text: str) -> CrmValue:
    match field.transform:
        case Transform.TRIM:
            text = text.strip()
        case Transform.LOWER:
            text = text.strip().lower()
        case Transform.UPPER:
            text = text.strip().upper()
        case Transform.VALUE_MAP:
            text = next((theirs for theirs, ours in field.value_map.items() if ours == text), text)
        case Transform.NONE:
            pass
    return text or None


def base_text(value: Any, kind: FieldKind) -> str | None:
    """Our value as PostgreSQL would write it as text: what the dirty set keeps as a base."""
    if value is None:
        return None
    if kind is FieldKind.CHOICES:
        return "{" + ",".join(json.dumps(str(part), ensure_ascii=False) for part in value) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def payload_hash(plan: ObjectPlan, fields: Mapping[str, CrmValue], *, stamp: datetime | None) -> str:
    """A fingerprint of what is sent and of what it meets: the same one would be refused again."""
    told = [dict(sorted(fields.items())), plan.policy_name, plan.about_hash, stamp.isoformat() if stamp else ""]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


RULE_CODES = frozenset({"FIELD_CUSTOM_VALIDATION_EXCEPTION", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"})


def cause_key(object: str, code: str, message: str, fields: tuple[str, ...]) -> str:
    """Refusals of one cause: the same object, code and rule. Ids and values in a message are no cause; the words of a rule are."""
    worded = "".join("#" if letter.isdigit() else letter for letter in message)
    told = "|".join([object, code, worded if not fields or code in RULE_CODES else "", *sorted(fields)])
    return hashlib.sha256(told.encode()).hexdigest()[:32]
