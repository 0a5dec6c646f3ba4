"""Who may open which page. Each view says what it asks for; the permission walk reads the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from relance.workspace.models import User
from relance.workspace.rules import Permission

View = TypeVar("View", bound=Callable[..., HttpResponse])


@dataclass(frozen=True, slots=True)
class Door:
    """What a view asks for: nothing (public), to be signed in, or one permission."""

    permission: Permission | None = None
    is_public: bool = False

    def refuse(self, request: HttpRequest) -> HttpResponse | None:
        """None when the user may come in. PermissionDenied otherwise."""
        if self.permission is None or (isinstance(request.user, User) and request.user.may(self.permission)):
            return None
        raise PermissionDenied(self.permission.value)


def opens_to(permission: Permission) -> Callable[[View], View]:
    """This view asks for a permission."""
    return _with_door(Door(permission))


def opens_to_everyone_signed_in(view: View) -> View:
    """This view asks only to be signed in."""
    return _with_door(Door())(view)


def opens_to_the_world(view: View) -> View:
    """This view is public."""
    return _with_door(Door(is_public=True))(view)


def door_of(view: Callable[..., HttpResponse]) -> Door:
    """The door of a view. PermissionDenied when nobody gave it one: closed is the default."""
    door = getattr(view, "door", None)
    if door is None:
        raise PermissionDenied(f"{view!r} has no door")
    return door  # type: ignore[no-any-return]


def signed_in(request: HttpRequest) -> User:
    """The user behind a request that passed a door."""
    assert isinstance(request.user, User)
    return request.user


def _with_door(door: Door) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.door = door  # type: ignore[attr-defined]
        return view

    return mark
