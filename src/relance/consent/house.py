"""Policies of the house: drafted by one, approved by another, laid on the packs from then on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from relance.decisions.rules import Reason, skip
from relance.lib.marked_yaml import YamlUnreadable, read_yaml

from .models import HousePolicy
from .packs import PolicyBook, PolicyRefused, parse_pack, shipped_packs
from .policy import Pack


class ApprovalRefused(Exception):
    """The approver's move: `reason` says why this approval does not count."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


def draft_policy(name: str, text: str, *, author: str, comment: str = "", now: datetime) -> HousePolicy:
    """A new version of a house policy, not in force yet. PolicyRefused when it cannot be read."""
    read_policy(text, name)
    with transaction.atomic():
        last = HousePolicy.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        return HousePolicy.objects.create(
            name=name, version=last + 1, text=text, made_at=now, author=author, comment=comment
        )


def approve_policy(policy: HousePolicy, *, approver: str, now: datetime) -> None:
    """From now on this version is in force, and the one before is not. Nobody approves what he wrote himself."""
    if approver == policy.author:
        raise ApprovalRefused(own_approval(policy))
    with transaction.atomic():
        HousePolicy.objects.filter(name=policy.name, retired_at=None).exclude(pk=policy.pk).update(retired_at=now)
        policy.approved_at, policy.approver, policy.retired_at = now, approver, None
        policy.save(update_fields=["approved_at", "approver", "retired_at"])


def own_approval(policy: HousePolicy) -> Reason:
    return skip("policy.approved_by_its_author", name=policy.name, version=policy.version)


def read_policy(text: str, name: str) -> Pack:
    """A policy's text as a pack. PolicyRefused names the line."""
    try:
        return parse_pack(read_yaml(text, name))
    except YamlUnreadable as error:
        raise PolicyRefused(str(error)) from None


def book_in_force() -> PolicyBook:
    """The shipped packs with the house's own policies on them, as they are now."""
    approved = HousePolicy.objects.filter(approved_at__isnull=False, retired_at=None).order_by("name")
    named = tuple((policy.name, policy.version) for policy in approved)
    if named not in _books:
        _books.clear()
        _books[named] = PolicyBook(shipped_packs(), house=tuple(read_policy(one.text, one.name) for one in approved))
    return _books[named]


def book_with(policy: HousePolicy) -> PolicyBook:
    """As it would be with this version in force: who gains and who loses is seen before anybody approves it."""
    others = HousePolicy.objects.filter(approved_at__isnull=False, retired_at=None).exclude(name=policy.name)
    packs = [read_policy(one.text, one.name) for one in (*others.order_by("name"), policy)]
    return PolicyBook(shipped_packs(), house=tuple(packs))


_books: dict[tuple[tuple[str, int], ...], PolicyBook] = {}
