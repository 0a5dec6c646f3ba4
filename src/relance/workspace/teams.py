"""The verbs of teams and brands."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from .holdings import held_by_team, move_all
from .models import Brand, Team, User


class TeamHoldsPeople(Exception):
    """Somebody must say where the team's people go: without a team, every rep and manager would see them."""


class BrandIsDefault(Exception):
    """Another brand must become the default one first."""


def delete_team(team: Team, *, to: Team | None = None, is_opened_to_all: bool = False, now: datetime) -> dict[str, int]:
    """Delete a team; its users and people go to another team, or to none when that is asked for. Returns what moved."""
    with transaction.atomic():
        if held_by_team(team.pk) and not to and not is_opened_to_all:
            raise TeamHoldsPeople(
                _(
                    "The team “%(team)s” still has people or companies. It was not deleted: choose the team that takes "
                    "them over, or let every team see them."
                )
                % {"team": team.name}
            )
        moved = move_all(team.pk, to.pk if to else None, now)
        User.objects.filter(team=team).update(team=to)
        team.delete()
    return moved


def make_default_brand(brand: Brand) -> None:
    """Speak under this brand unless something says otherwise."""
    with transaction.atomic():
        Brand.objects.filter(is_default=True).exclude(pk=brand.pk).update(is_default=False)
        Brand.objects.filter(pk=brand.pk).update(is_default=True)


def delete_brand(brand: Brand) -> None:
    """Delete a brand. BrandIsDefault for the one that is spoken under by default."""
    if brand.is_default:
        raise BrandIsDefault(
            _("“%(brand)s” is the default brand. It was not deleted: make another brand the default first.")
            % {"brand": brand.name}
        )
    brand.delete()
