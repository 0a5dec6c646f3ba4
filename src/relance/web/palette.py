"""The command palette: people and companies by a few letters, pages, and actions on the thing one looks at. `>` lists actions only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from relance.crm.models import Connection, CrmLink
from relance.crm.page_facts import SeenConnection, seen_connection, seen_connections
from relance.crm.rules import ConnectionState, LinkRole
from relance.decisions.facts import decisions_about
from relance.people.facts import search_companies, search_people
from relance.people.models import Company, Person
from relance.workspace.models import User
from relance.workspace.rules import Permission

from .doors import opens_to_everyone_signed_in, signed_in
from .navigation import places_for
from .settings_map import sections_for

FOUND_EACH = 6
MOST_WEIGHED = 500  # to put all bearers of a common name in order, the index of names would be walked for seconds
LONGEST_QUESTION = 200
ACTIONS_ONLY = ">"
Entry = dict[str, Any]


@require_safe
@vary_on_headers("HX-Request")
@opens_to_everyone_signed_in
def palette(request: HttpRequest) -> HttpResponse:
    """What the letters typed so far may mean. For htmx the list alone, else a page with a search box."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_QUESTION]
    template = "palette/_found.html" if request.headers.get("HX-Request") else "palette/page.html"
    return render(request, template, {"sections": sections(request, asked), "q": asked})


def sections(request: HttpRequest, asked: str) -> list[dict[str, Any]]:
    """In the order of the palette; without empty ones. Nothing typed: actions on what one looks at, then pages."""
    user = signed_in(request)
    only_actions = asked.startswith(ACTIONS_ONLY)
    q = asked.removeprefix(ACTIONS_ONLY).strip()
    title, about = actions_on(request.GET.get("on", ""), user)
    found = []
    if q and not only_actions:
        found += [(_("People"), _people(user, q)), (_("Companies"), _companies(user, q))]
    found += [(title, _fitting(about, q)), (_("Actions"), _fitting(_actions(user), q))]
    if not only_actions:
        found.append((_("Go to"), _fitting(_pages(request), q)))
    return [{"title": name, "entries": entries} for name, entries in found if entries]


def _fitting(entries: list[Entry], q: str) -> list[Entry]:
    """Those with each of the words in their label or detail."""
    words = q.casefold().split()
    return [
        entry
        for entry in entries
        if all(word in f"{entry['label']} {entry.get('detail', '')}".casefold() for word in words)
    ]


# ── People and companies ─────────────────────────────────────────────────────────────────────────────────────────────


def _people(user: User, q: str) -> list[Entry]:
    met = search_people(q, user=user).values("pk")[:MOST_WEIGHED]
    people = Person.objects.filter(pk__in=met).select_related("company").order_by("name_key", "pk")[:FOUND_EACH]
    return [_person_entry(person) for person in people]


def _person_entry(person: Person) -> Entry:
    employer = person.company.name if person.company else person.company_name
    label = f"{person.full_name} · {employer}" if employer else person.full_name
    return {
        "label": label,
        "detail": person.email or "",
        "face": person.full_name,
        "address": _address("person", person.pk),
    }


def _companies(user: User, q: str) -> list[Entry]:
    met = search_companies(q, user=user).values("pk")[:MOST_WEIGHED]
    companies = Company.objects.filter(pk__in=met).order_by("name_key", "pk")[:FOUND_EACH]
    return [
        {
            "label": company.name,
            "detail": company.city or "",
            "icon": "building",
            "address": _address("company", company.pk),
        }
        for company in companies
    ]


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pages(request: HttpRequest) -> list[Entry]:
    user = signed_in(request)
    found: list[Entry] = [
        {
            "label": str(place.section.label),
            "icon": place.section.icon,
            "address": place.href,
            "shortcut": f"G {place.section.letter.upper()}" if place.section.letter else "",
        }
        for place in places_for(request)
    ]
    found += [
        {"label": str(each["label"]), "detail": _("Settings"), "icon": each["section"].icon, "address": each["address"]}
        for each in sections_for(request)
        if each["section"].address != "crm"
    ]
    if user.may(Permission.VIEW_CRM):
        found += [page for one in Connection.objects.order_by("id") for page in _pages_of(one)]
    found.append({"label": _("Your profile"), "icon": "user-circle", "address": reverse("profile")})
    return found


def _pages_of(connection: Connection) -> Iterator[Entry]:
    pages = (
        ("crm-fields", _("Fields"), "arrows-exchange"),
        ("crm-errors", _("Errors"), "alert-triangle"),
        ("crm-log", _("Log"), "history"),
    )
    for name, label, icon in pages:
        yield {
            "label": f"{connection.name} › {label}",
            "detail": _("CRM sync"),
            "icon": icon,
            "address": reverse(name, args=[connection.pk]),
        }


# ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _actions(user: User) -> list[Entry]:
    """What this user may do from anywhere."""
    found: list[Entry] = []
    for permission, label, icon, name in (
        (Permission.EDIT_PEOPLE, _("Add a person"), "user-plus", "person-new"),
        (Permission.EDIT_PEOPLE, _("Add a company"), "building", "company-new"),
        (Permission.IMPORT_PEOPLE, _("Import people from a file"), "file-import", "import-new"),
        (Permission.MANAGE_USERS, _("Invite a user"), "user-plus", "settings-user-new"),
        (Permission.MANAGE_CRM, _("Connect a CRM"), "plug-connected", "crm-connect"),
    ):
        address = _address(name) if user.may(permission) else ""
        if address:
            found.append({"label": label, "icon": icon, "address": address})
    if user.may(Permission.MANAGE_CRM):
        found += [entry for one in seen_connections() for entry in _connection_actions(one)]
    return found


def actions_on(subject: str, user: User) -> tuple[str, list[Entry]]:
    """The title and the actions for the thing a page says it is about: `person:12`, `company:3`, `connection:1`."""
    kind, _sign, number = subject.partition(":")
    actions: Callable[[int, User], tuple[str, list[Entry]]] | None = _ABOUT.get(kind)
    if actions is None or not number.isdecimal() or len(number) > 18:
        return "", []
    return actions(int(number), user)


def _on_person(id: int, user: User) -> tuple[str, list[Entry]]:
    person = Person.objects.visible_to(user).filter(pk=id).first()
    if person is None:
        return "", []
    found: list[Entry] = []
    latest = next(iter(decisions_about(id, limit=1)), None)
    if latest is not None:
        address = f"{_address('person', id)}?why={latest.name}"
        found.append(
            {"label": _("Why the last decision?"), "icon": "help-hexagon", "address": address, "shortcut": "W"}
        )
    if user.may(Permission.EDIT_PEOPLE):
        link = (
            CrmLink.objects.filter(person=person, role=LinkRole.LEADING.value, deleted_at=None)
            .select_related("connection")
            .first()
        )
        if link and _address("person-sync", id):
            label = _("Sync now with %(crm)s") % {"crm": link.connection.name}
            found.append({"label": label, "icon": "refresh", "address": _address("person-sync", id), "method": "post"})
        if _address("person-edit", id):
            found.append({"label": _("Edit this person"), "icon": "pencil", "address": _address("person-edit", id)})
    return _("Actions on %(name)s") % {"name": person.full_name}, found


def _on_company(id: int, user: User) -> tuple[str, list[Entry]]:
    company = Company.objects.visible_to(user).filter(pk=id).first()
    if company is None or not user.may(Permission.EDIT_PEOPLE) or not _address("company-edit", id):
        return "", []
    entry = {"label": _("Edit this company"), "icon": "pencil", "address": _address("company-edit", id)}
    return _("Actions on %(name)s") % {"name": company.name}, [entry]


def _on_connection(id: int, user: User) -> tuple[str, list[Entry]]:
    """They stand among the actions from anywhere; here one finds the pages."""
    connection = Connection.objects.filter(pk=id).first() if user.may(Permission.VIEW_CRM) else None
    if connection is None:
        return "", []
    found = list(_pages_of(connection))
    if user.may(Permission.MANAGE_CRM):
        seen = seen_connection(connection)
        found.append({"label": _("Map a field"), "icon": "plus", "address": reverse("crm-field-add", args=[id])})
        if seen.state is not ConnectionState.DISCONNECTED:
            found.append(
                {
                    "label": _("Disconnect…"),
                    "icon": "plug-x",
                    "address": f"{reverse('crm-connection', args=[id])}?open=disconnect",
                }
            )
    return _("Actions on %(name)s") % {"name": connection.name}, found


_ABOUT: dict[str, Callable[[int, User], tuple[str, list[Entry]]]] = {
    "person": _on_person,
    "company": _on_company,
    "connection": _on_connection,
}


def _connection_actions(seen: SeenConnection) -> Iterator[Entry]:
    """Running: sync now, pause (its dialog shows the effect). Stopped: the dialog that goes on."""
    id, name = seen.connection.pk, seen.connection.name
    overview = reverse("crm-connection", args=[id])
    if seen.is_moving:
        yield {
            "label": _("Sync now with %(crm)s") % {"crm": name},
            "icon": "refresh",
            "address": reverse("crm-sync", args=[id]),
            "method": "post",
        }
        yield {
            "label": _("Pause the sync with %(crm)s…") % {"crm": name},
            "icon": "player-pause",
            "address": f"{overview}?open=pause",
        }
    elif seen.state in (ConnectionState.PAUSED, ConnectionState.DISABLED, ConnectionState.DISCONNECTED):
        yield {
            "label": _("Go on with %(crm)s…") % {"crm": name},
            "icon": "player-play",
            "address": f"{overview}?open=resume",
        }
    yield {
        "label": _("Verify the connection to %(crm)s") % {"crm": name},
        "icon": "plug-connected",
        "address": reverse("crm-verify", args=[id]),
        "method": "post",
    }


def _address(name: str, *args: int) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:  # a page this installation does not have
        return ""


urlpatterns = [path("palette", palette, name="palette")]
