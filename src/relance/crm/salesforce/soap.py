"""The one thing REST cannot do: convert leads. The envelope is written by hand, and the answer read without trusting it."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import defusedxml
from defusedxml.ElementTree import fromstring

from relance import __version__
from relance.crm.dialect import ConversionOutcome, ConvertLead, CrmError, RowError
from relance.crm.salesforce.auth import Session, Token
from relance.crm.salesforce.errors import Write, error_from_answer, error_from_words, ids_in
from relance.crm.salesforce.errors_catalogue import KNOWN_CODES, known_code
from relance.crm.salesforce.rest import unreadable
from relance.crm.salesforce.wire import Answer, Wire

MOST_LEADS_IN_A_CALL = 100
DURING = "POST /services/Soap/u convertLead"

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_PARTNER = "{urn:partner.soap.sforce.com}"


def convert_leads(
    wire: Wire, session: Session, *, version: str, leads: Sequence[ConvertLead]
) -> tuple[ConversionOutcome, ...]:
    """Convert up to a hundred leads, each with its own outcome, in their order."""
    if len(leads) > MOST_LEADS_IN_A_CALL:
        raise ValueError(f"{len(leads)} leads in one call; Salesforce takes {MOST_LEADS_IN_A_CALL}")
    # Converting a converted lead is refused, so that the same call again makes no second contact.
    write = Write(keys=tuple(lead.lead_id for lead in leads), makes_no_twin=True)
    body = "".join(_lead_xml(lead) for lead in leads)
    token = session.token()
    error = None
    for _ in range(2):
        answer = _ask(wire, token, version=version, body=body, write=write)
        if answer.status == 200:
            return _outcomes(answer, leads, write)
        error = _fault(answer, write)
        if error.code != "INVALID_SESSION_ID":
            break
        token = session.renew(token)
    assert error is not None
    raise error


def _ask(wire: Wire, token: Token, *, version: str, body: str, write: Write) -> Answer:
    envelope = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><env:Header>'
        f"<SessionHeader><sessionId>{escape(token.access_token)}</sessionId></SessionHeader>"
        f"<CallOptions><client>relance/{__version__}</client></CallOptions>"
        f"</env:Header><env:Body><convertLead>{body}</convertLead></env:Body></env:Envelope>"
    )
    return wire.send(
        "POST",
        f"{token.instance_url}/services/Soap/u/{version}",
        during=DURING,
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        content=envelope.encode(),
        write=write,
    )


def _lead_xml(lead: ConvertLead) -> str:
    # The order is that of the WSDL, which Salesforce insists on.
    told = (
        ("accountId", lead.account_id),
        ("contactId", lead.contact_id),
        ("convertedStatus", lead.status),
        ("doNotCreateOpportunity", _yes_no(not lead.creates_opportunity)),
        ("leadId", lead.lead_id),
        ("opportunityName", lead.opportunity_name),
        ("overwriteLeadSource", _yes_no(lead.overwrites_source)),
        ("ownerId", lead.owner_id),
        ("sendNotificationEmail", _yes_no(lead.notifies_owner)),
    )
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told if value)
    return f"<leadConverts>{inside}</leadConverts>"


def _yes_no(answer: bool) -> str:
    return "true" if answer else "false"


def _outcomes(answer: Answer, leads: Sequence[ConvertLead], write: Write) -> tuple[ConversionOutcome, ...]:
    results = (
        [] if (root := _parsed(answer)) is None else root.findall(f".//{_PARTNER}convertLeadResponse/{_PARTNER}result")
    )
    if len(results) != len(leads):
        raise unreadable(answer, during=DURING, write=write)
    return tuple(_outcome(result, lead) for result, lead in zip(results, leads, strict=True))


def _outcome(result: ElementTree.Element, lead: ConvertLead) -> ConversionOutcome:
    return ConversionOutcome(
        lead_id=lead.lead_id,
        ok=_text(result, "success") == "true",
        contact_id=_text(result, "contactId"),
        account_id=_text(result, "accountId"),
        opportunity_id=_text(result, "opportunityId"),
        errors=tuple(_row_error(error) for error in result.findall(f"{_PARTNER}errors")),
    )


def _row_error(error: ElementTree.Element) -> RowError:
    message = _text(error, "message")
    fields = tuple(name.text for name in error.findall(f"{_PARTNER}fields") if name.text)
    return RowError(_text(error, "statusCode"), message, fields, ids_in(message))


def _fault(answer: Answer, write: Write) -> CrmError:
    root = _parsed(answer)
    fault = root.find(f".//{_SOAP}Fault") if root is not None else None
    if fault is None:
        return error_from_answer(answer.status, answer.headers, answer.body, during=DURING, write=write)
    code = (fault.findtext("faultcode") or "").rpartition(":")[2]
    message = (fault.findtext("faultstring") or "").removeprefix(f"{code}:").strip()
    known = known_code(code, message)
    certain = (
        code in KNOWN_CODES and code != "UNKNOWN_EXCEPTION"
    )  # a fault that names its cause has undone the whole call
    return error_from_words(
        RowError(code, message),
        known=known,
        status=answer.status,
        headers=answer.headers,
        text=answer.body.decode("utf-8", "replace"),
        during=DURING,
        wrote_perhaps=None if certain else write,
    )


def _parsed(answer: Answer) -> ElementTree.Element | None:
    try:
        root: ElementTree.Element = fromstring(answer.body)
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError):
        return None
    return root


def _text(element: ElementTree.Element, name: str) -> str:
    return (element.findtext(f"{_PARTNER}{name}") or "").strip()
