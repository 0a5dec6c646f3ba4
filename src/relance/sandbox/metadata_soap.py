"""The Metadata door: readMetadata, listMetadata, describeMetadata, and updateMetadata of the lead conversion map."""

from __future__ import annotations

import json
from collections.abc import Callable
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from relance.sandbox.admin_acts import alter_schema, note
from relance.sandbox.errors import SoapRefused
from relance.sandbox.exchange import Request, Response, Route, route
from relance.sandbox.metadata_types import CHILD_TYPES, TYPES, MetadataType, el
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller
from relance.sandbox.schema_changes import CannotChange
from relance.sandbox.soap import ENVELOPE, XML, children, local_name, read_version, session_caller, text_of
from relance.sandbox.soql_dates import stamp

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
NAMES = f'xmlns="{NAMESPACE}"'
MOST_NAMES = 10
RIGHTS_NEEDED = (
    "insufficient access: use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
)
Operation = Callable[[Org, Element, Caller], str]


def metadata_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    try:
        version = read_version(parts["version"])
        envelope = fromstring(request.body.decode())
        operation = next((child for body in children(envelope, "Body") for child in body), None)
        if operation is None or local_name(operation) not in OPERATIONS:
            name = "" if operation is None else local_name(operation)
            return fault("soapenv:Client", f"No operation available for request {{{NAMESPACE}}}{name}")
        request.caller = session_caller(org, envelope)
        org.allowance.spend()
        if not (request.caller.has("ModifyAllData") or request.caller.has("ModifyMetadata")):
            raise SoapRefused("INSUFFICIENT_ACCESS", RIGHTS_NEEDED)
        name = local_name(operation)
        result = OPERATIONS[name](org, operation, request.caller)
        body = f"<{name}Response>{result}</{name}Response>"
    except SoapRefused as refused:
        return fault(f"sf:{refused.code}", f"{refused.code}: {refused.message}")
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as unreadable:
        return fault("soapenv:Client", f"The envelope cannot be read: {unreadable}")
    assert version
    return Response(200, ENVELOPE.format(names=NAMES, header="", body=body).encode(), XML)


def read_metadata(org: Org, operation: Element, _caller: Caller) -> str:
    """Names that are not there give an empty record in their place."""
    kind = known_type(text_of(operation, "type"))
    wanted = [(each.text or "").strip() for each in children(operation, "fullNames")]
    if len(wanted) > MOST_NAMES:
        raise SoapRefused(
            "LIMIT_EXCEEDED", f"record limit reached. cannot submit more than {MOST_NAMES} records in this operation"
        )
    known = {name.lower(): (name, write) for name, write in kind.all(org.schema)}
    records = []
    for name in wanted:
        found = known.get(name.lower())
        content = el("fullName", found[0]) + found[1]() if found else ""
        records.append(
            f'<records xsi:type="{kind.name}">{content}</records>' if content else '<records xsi:nil="true"/>'
        )
    return f"<result>{''.join(records)}</result>"


def list_metadata(org: Org, operation: Element, caller: Caller) -> str:
    results = []
    when = stamp(org.changed_at)
    for query in children(operation, "queries"):
        kind = known_type(text_of(query, "type"))
        for name, _write in kind.all(org.schema):
            file = f"{kind.directory}/{name.partition('.')[0] if kind.name in CHILD_TYPES else name}.{kind.suffix}"
            who = el("createdById", caller.user_id) + el("createdByName", org.username) + el("createdDate", when)
            changed = el("lastModifiedById", caller.user_id) + el("lastModifiedByName", org.username)
            results.append(
                f"<result>{who}{el('fileName', file)}{el('fullName', name)}{el('id', '')}{changed}"
                f"{el('lastModifiedDate', when)}{el('type', kind.name)}</result>"
            )
    return "".join(results)


def describe_metadata(org: Org, _operation: Element, _caller: Caller) -> str:
    told = (
        el(
            "metadataObjects",
            (
                *(el("childXmlNames", child) for child in kind.children),
                el("directoryName", kind.directory),
                el("inFolder", False),
                el("metaFile", False),
                el("suffix", kind.suffix),
                el("xmlName", kind.name),
            ),
        )
        for kind in TYPES.values()
        if kind.name not in CHILD_TYPES
    )
    more = f"<organizationNamespace>{escape(org.schema.namespace)}</organizationNamespace>"
    return f"<result>{''.join(told)}{more}{el('partialSaveAllowed', True)}{el('testRequired', False)}</result>"


def update_metadata(org: Org, operation: Element, _caller: Caller) -> str:
    """The lead conversion map is written whole; nothing else can be written here."""
    results = []
    for record in children(operation, "metadata"):
        name = text_of(record, "fullName")
        kind = next((value for key, value in record.attrib.items() if key.endswith("type")), "").rpartition(":")[2]
        if kind != "LeadConvertSettings":
            raise SoapRefused("INVALID_TYPE", f"This sandbox writes LeadConvertSettings only, not {kind or 'nothing'}")
        results.append(written_map(org, record, name))
    return "".join(results)


def written_map(org: Org, record: Element, name: str) -> str:
    mappings = {
        text_of(each, "outputObject"): [
            [text_of(pair, "inputField"), text_of(pair, "outputField")] for pair in children(each, "mappingFields")
        ]
        for each in children(record, "objectMapping")
    }
    try:
        alter_schema(org, "map_conversion", {"mappings": json.dumps(mappings)})
    except CannotChange as unchangeable:
        error = el("errors", (el("message", str(unchangeable)), el("statusCode", "INVALID_FIELD")))
        return el("result", (error, el("fullName", name), el("success", False)))
    note(org, "leadConvertSettings", "Customize Leads", "Changed the mapping of lead fields")
    return el("result", (el("fullName", name), el("success", True)))


OPERATIONS: dict[str, Operation] = {
    "readMetadata": read_metadata,
    "listMetadata": list_metadata,
    "describeMetadata": describe_metadata,
    "updateMetadata": update_metadata,
}


def known_type(name: str) -> MetadataType:
    kind = TYPES.get(name)
    if kind is None:
        raise SoapRefused("INVALID_TYPE", f"Unknown type:{name}")
    return kind


def fault(code: str, text: str) -> Response:
    body = f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    names = f'xmlns:sf="{NAMESPACE}"'
    return Response(
        500, ENVELOPE.format(names=names, header="", body=body).encode(), XML, error_code=code.removeprefix("sf:")
    )


ROUTES: list[Route] = [
    route("POST", "services/Soap/m/{version}", metadata_view),
    route("POST", "services/Soap/m/{version}/{org}", metadata_view),
]
