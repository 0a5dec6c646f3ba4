"""The sandbox's own page at `/`: its records with what people may do to them, administration, faults, and what was asked of it.

It works without any script. Buttons post a form, and the answer sends the reader back with what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlencode

from relance.sandbox.actors import ACTORS, ActRefused, act
from relance.sandbox.errors import Refused
from relance.sandbox.exchange import Request, Response, Route, route
from relance.sandbox.fault_kinds import KINDS, FaultMisasked
from relance.sandbox.ids import MalformedId, whole_id
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller
from relance.sandbox.page_parts import button, choice, field, form, hidden, page, said, section, table
from relance.sandbox.page_words import Words
from relance.sandbox.schema import OrgObject
from relance.sandbox.store import quoted

SHOWN = 50
PEOPLE = ("Lead", "Contact", "Account", "Opportunity", "Campaign", "CampaignMember", "Task", "User")
TOLD = {
    "record": "Id of the record",
    "from": "Right: Lead, Lead.Phone, the id of a record, or api",
    "user": "User, by username or e-mail",
    "actions": "Only these: create, edit, delete",
    "field": "Field, such as Lead.Phone",
    "to": "New name",
    "object": "Object",
    "name": "API name",
    "type": "Type",
    "label": "Label",
    "value": "Value",
    "formula": "Formula that refuses when true",
    "message": "Message",
}
CSS = (resources.files("relance.sandbox") / "data" / "page.css").read_bytes()


def home_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    words = Words(request.header("Accept-Language"))
    here = request.query.get("show", "records")
    content = {"admin": admin_sections, "faults": fault_sections, "log": log_sections}.get(here, record_sections)
    here = here if here in ("admin", "faults", "log") else "records"
    return page(words, words("A pretend CRM"), here, said(words, request.query), *content(org, request, words))


def css_view(_org: Org, _request: Request, _parts: dict[str, str]) -> Response:
    return Response(200, CSS, "text/css;charset=UTF-8", {"Cache-Control": "max-age=60"})


def record_sections(org: Org, request: Request, words: Words) -> list[str]:
    thing = org.schema.objects.get(request.query.get("object", "Lead")) or org.schema.objects["Lead"]
    custom = [each.name for each in org.schema.objects if each.custom and each.kind == "object"]
    names = {name: name for name in (*PEOPLE, *custom)}
    wanted, with_bin = request.query.get("contains", ""), "bin" in request.query
    tick = f'<label class="tick"><input type="checkbox" name="bin"{" checked" if with_bin else ""}>{words("with the bin")}</label>'
    search = form(
        "/",
        choice(words("Object"), "object", names, thing.name),
        field(words("Contains"), "contains", wanted),
        tick,
        button(words("Show"), "quiet"),
        method="get",
    )
    rows = [record_row(org, thing, row, words) for row in records_found(org, thing, wanted, with_bin=with_bin)]
    heads = [words(head) for head in ("Name", "E-mail", "Owner", "Modified", "State")]
    return [section(words("Records"), search, table(heads, rows, empty=words("Nothing here.")))]


def records_found(org: Org, thing: OrgObject, wanted: str, *, with_bin: bool) -> list[dict[str, Any]]:
    columns = [name for name in ("LastName", "FirstName", "Name", "Email", "Company") if is_stored(thing, name)]
    conditions = ["1"] if with_bin else ['"IsDeleted" = 0']
    parameters: list[object] = []
    if wanted and columns:
        conditions.append("(" + " OR ".join(f"instr(lower({quoted(name)}), lower(?)) > 0" for name in columns) + ")")
        parameters += [wanted] * len(columns)
    statement = f'SELECT * FROM {quoted(thing.name)} WHERE {" AND ".join(conditions)} ORDER BY "SystemModstamp" DESC, "Id" LIMIT {SHOWN}'
    return [dict(row) for row in org.store.connection().execute(statement, parameters)]


def is_stored(thing: OrgObject, name: str) -> bool:
    found = thing.fields.get(name)
    return found is not None and found.stored


def record_row(org: Org, thing: OrgObject, row: Mapping[str, Any], words: Words) -> list[str]:
    link = f'<a href="/sandbox/records/{row["Id"]}">{escape(name_of(row))}</a>'
    return [
        link,
        escape(str(row.get("Email") or "")),
        escape(owner_name(org, row.get("OwnerId"))),
        escape(str(row.get("SystemModstamp") or "")[:16].replace("T", " ")),
        escape(state_of(row, words)),
    ]


def name_of(row: Mapping[str, Any]) -> str:
    whole = " ".join(str(row[part]) for part in ("FirstName", "LastName") if row.get(part))
    return whole or str(row.get("Name") or row.get("Subject") or row["Id"])


def owner_name(org: Org, owner_id: object) -> str:
    statement = (
        'SELECT coalesce("FirstName" || \' \', \'\') || "LastName" FROM "User" WHERE "Id" = ?1'
        ' UNION ALL SELECT "Name" FROM "Group" WHERE "Id" = ?1'
    )
    row = org.store.connection().execute(statement, (owner_id,)).fetchone()
    return str(row[0]) if row else ""


def state_of(row: Mapping[str, Any], words: Words) -> str:
    if row.get("IsDeleted"):
        return words("merged") if row.get("MasterRecordId") else words("in the bin")
    return words("converted") if row.get("IsConverted") else words("living")


def record_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    words = Words(request.header("Accept-Language"))
    try:
        record_id = whole_id(parts["id"])
    except MalformedId as malformed:
        raise Refused(404, "NOT_FOUND", f"{parts['id']} is no record id.") from malformed
    for thing in org.schema.objects:
        if thing.key_prefix == record_id[:3] and (row := org.records.row(thing, record_id)) is not None:
            title = f"{thing.label}: {name_of(row)} ({state_of(row, words)})"
            return page(words, title, "records", said(words, request.query), *sections_of(org, thing, row, words))
    raise Refused(404, "NOT_FOUND", f"The org has no record {record_id}.")


def sections_of(org: Org, thing: OrgObject, row: Mapping[str, Any], words: Words) -> list[str]:
    whole = org.records.read(Caller(org.user_id, all_rights=True), thing.name, str(row["Id"])) or {}
    cells = [[f"<code>{escape(name)}</code>", value_cell(value)] for name, value in whole.items() if value is not None]
    actions = "".join(record_forms(org, thing, row, words))
    return [
        section(words("What may be done"), f'<div class="rows">{actions}</div>'),
        section(words("All fields"), table([words("Field"), words("Value")], cells, empty=words("Nothing here."))),
    ]


def value_cell(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    is_link = len(text) == 18 and text[3:6] in ("d00",)
    return f'<a href="/sandbox/records/{text}">{text}</a>' if is_link else escape(text)


def record_forms(org: Org, thing: OrgObject, row: Mapping[str, Any], words: Words) -> list[str]:
    record_id = str(row["Id"])

    def act_form(actor: str, label: str, *more: str, kind: str = "", key: str = "record") -> str:
        return form(
            "/sandbox/page/act",
            hidden(actor=actor, back=f"/sandbox/records/{record_id}", **{key: record_id}),
            *more,
            button(words(label), kind),
        )

    if row.get("IsDeleted"):
        return [act_form("undelete", "Take back"), act_form("purge", "Erase for good", kind="bad")]
    names = {
        each.name: each.name
        for each in thing.fields
        if each.updateable and not each.system and each.stored and each.name != "OwnerId"
    }
    forms = [act_form("edit", "Save", choice(words("Field"), "field", names), field(words("Value"), "value"))]
    if thing.owned:
        forms.append(act_form("reassign", "Give to", choice(words("Owner"), "owner", owners(org, thing))))
    if thing.name == "Lead" and not row.get("IsConverted"):
        forms.append(act_form("convert", "Convert"))
    if thing.mergeable:
        loser = field(words("Id of the one that goes"), "losers", required=True)
        forms.append(act_form("merge", "Merge into this one", loser, kind="quiet", key="master"))
    return [*forms, act_form("delete", "Delete", kind="bad")]


def owners(org: Org, thing: OrgObject) -> dict[str, str]:
    rows = org.store.connection().execute(
        'SELECT "Id", coalesce("FirstName" || \' \', \'\') || "LastName" FROM "User" WHERE "IsActive" = 1 UNION ALL SELECT "Id", "Name"'
        ' FROM "Group" WHERE "Id" IN (SELECT "QueueId" FROM "QueueSobject" WHERE "SobjectType" = ?)',
        (thing.name,),
    )
    return {str(row[0]): str(row[1]) for row in rows}


def admin_sections(_org: Org, _request: Request, words: Words) -> list[str]:
    forms = []
    for actor in ACTORS.values():
        if actor.who == "admin":
            takes = [
                field(words(TOLD[name]), name, required=name in actor.needs) for name in (*actor.needs, *actor.takes)
            ]
            start = f"<span>{escape(words(actor.says))}</span>" + hidden(actor=actor.name, back="/?show=admin")
            forms.append(form("/sandbox/page/act", start, *takes, button(words("Do it"))))
    return [section(words("Administration"), f'<div class="rows">{"".join(forms)}</div>')]


def fault_sections(org: Org, _request: Request, words: Words) -> list[str]:
    rows = [
        [
            f"<code>{escape(fault.id)}</code> {escape(words(fault.kind.says))}",
            escape(json.dumps(fault.match.as_json(), ensure_ascii=False)),
            escape(words("%s of %s", fault.hits, fault.seen)),
            form("/sandbox/page/faults", hidden(end=fault.id), button(words("End it"), "quiet")),
        ]
        for fault in org.faults.all()
    ]
    heads = [words("Fault"), words("Request"), words("Struck"), ""]
    end_all = form("/sandbox/page/faults", hidden(end="*"), button(words("End all"), "bad")) if rows else ""
    kinds = {name: f"{name}: {words(kind.says)}" for name, kind in KINDS.items() if "" not in kind.options.values()}
    often = {"1": "1", "2": "2", "5": "5", "": words("always")}
    add = form(
        "/sandbox/page/faults",
        choice(words("Kind"), "kind", kinds),
        choice(words("How often"), "times", often),
        field(words("Object"), "object"),
        field(words("Address contains"), "path"),
        button(words("Start")),
    )
    under_way = section(words("Under way"), table(heads, rows, empty=words("Nothing here.")), end_all)
    return [under_way, section(words("Add a fault"), add)]


def log_sections(org: Org, _request: Request, words: Words) -> list[str]:
    lines = reversed(org.journal.requests(limit=SHOWN))
    rows = [
        [
            escape(str(line["at"])[11:23]),
            f"<code>{escape(str(line['method']))} {escape(str(line['path']))}</code>",
            escape(f"{line['status'] or '–'} {line['error_code'] or ''}"),
            escape(str(line["fault"] or "")),
        ]
        for line in lines
    ]
    heads = [words(head) for head in ("At", "Request", "Status", "Fault")]
    return [section(words("Requests"), table(heads, rows, empty=words("Nothing here.")))]


def act_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    told = posted(request)
    actor, back = told.pop("actor", ""), told.pop("back", "/")
    if "field" in told and actor == "edit":
        told["values"] = {told.pop("field"): told.pop("value", "") or None}
    try:
        act(org, actor, {name: value for name, value in told.items() if value})
    except ActRefused as refused:
        return sent_back(back, refused=f"{refused.code}: {refused.message}")
    return sent_back(back, done="1")


def faults_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    told = posted(request)
    if "end" in told:
        org.faults.clear(None if told["end"] == "*" else told["end"])
        return sent_back("/?show=faults", done="1")
    match = {name: told[name] for name in ("times", "object", "path") if told.get(name)}
    if not told.get("times"):
        match["times"] = 0
    try:
        org.faults.add({"kind": told.get("kind"), "match": match})
    except FaultMisasked as misasked:
        return sent_back("/?show=faults", refused=str(misasked))
    return sent_back("/?show=faults", done="1")


def posted(request: Request) -> dict[str, Any]:
    """The form. One that another site's page sends is refused."""
    if request.header("Origin") not in ("", request.origin):
        raise Refused(403, "INVALID_ORIGIN", "The form was sent by another site.")
    fields = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def sent_back(back: str, **told: str) -> Response:
    """Only to addresses of ours."""
    address = back if back.startswith("/") and not back.startswith("//") else "/"
    mark = "&" if "?" in address else "?"
    return Response(303, b"", "", {"Location": f"{address}{mark}{urlencode(told)}"})


ROUTES: list[Route] = [
    route("GET", "", home_view),
    route("GET", "sandbox/page.css", css_view),
    route("GET", "sandbox/records/{id}", record_view),
    route("POST", "sandbox/page/act", act_view),
    route("POST", "sandbox/page/faults", faults_view),
]
