"""The side bar: which sections there are, who may open them, what waits in each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from relance.workspace.models import User
from relance.workspace.rules import Permission


@dataclass(frozen=True, slots=True)
class Section:
    """A place one can go to: the name of its address, its label, its icon, the letter after G, who may open it."""

    address: str
    label: str | Promise
    icon: str
    permission: Permission | None = None
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A section for one reader, on one page."""

    section: Section
    href: str
    is_current: bool
    waiting: int = 0


HOME = (Section("home", _("Home"), "home", letter="h"),)
AUDIENCE = (
    Section("people", _("People"), "users", Permission.VIEW_PEOPLE, "p"),
    Section("companies", _("Companies"), "building", Permission.VIEW_PEOPLE, "o"),
    Section("imports", _("Imports"), "file-import", Permission.IMPORT_PEOPLE, "i"),
)
FOOT = (
    Section("crm", _("CRM sync"), "refresh", Permission.VIEW_CRM, "c"),
    Section("settings", _("Settings"), "settings", letter="s"),
)
Counter = Callable[[User], int]
_counters: dict[str, Counter] = {}


def count_waiting(address: str, counter: Counter) -> None:
    """A room's page says how many things wait for someone in its section; the figure stands beside the name."""
    _counters[address] = counter


def navigation_for(request: HttpRequest) -> dict[str, list[Entry]]:
    """The sections this user may open, with addresses, the current one and what waits: counted once a request."""
    known: dict[str, list[Entry]] | None = getattr(request, "places", None)
    if known is None:
        groups = {"home": HOME, "audience": AUDIENCE, "foot": FOOT}
        known = {name: _entries(sections, request) for name, sections in groups.items()}
        request.places = known  # type: ignore[attr-defined]
    return known


def places_for(request: HttpRequest) -> list[Entry]:
    """All of them in order: for the palette and the shortcuts."""
    return [entry for group in navigation_for(request).values() for entry in group]


def _entries(sections: tuple[Section, ...], request: HttpRequest) -> list[Entry]:
    user = request.user
    if not isinstance(user, User):
        return []
    here, entries = request.path, []
    for section in sections:
        if section.permission and not user.may(section.permission):
            continue
        try:
            href = reverse(section.address)
        except NoReverseMatch:  # a section whose pages this installation does not have
            continue
        is_current = here == href or (href != "/" and here.startswith(href))
        counter = _counters.get(section.address)
        entries.append(Entry(section, href, is_current, counter(user) if counter else 0))
    return entries
