"""The partner SOAP door: login (up to the last version that has it), getUserInfo, getServerTimestamp, convertLead and merge."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from relance.sandbox.access import caller_for
from relance.sandbox.errors import SoapRefused
from relance.sandbox.exchange import Request, Response, Route, route
from relance.sandbox.oauth import user_fact, user_named
from relance.sandbox.org import Org
from relance.sandbox.outcomes import Caller, ConvertRequest, ConvertResult, RecordError
from relance.sandbox.soql_dates import stamp
from relance.sandbox.versions import LAST_WITH_LOGIN, LATEST, OLDEST

XML = "text/xml;charset=UTF-8"
MOST_CONVERSIONS = 100
MOST_MERGED = 2
MOST_MERGES = 200
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" {names}'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{header}<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
)
PARTNER = 'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com"'
FAULT = 'xmlns:sf="urn:fault.partner.soap.sforce.com"'
Operation = Callable[[Org, Request, Element, Caller], str]


class NoSuchOperation(Exception):
    """An operation this version of the API does not have."""


def partner_view(org: Org, request: Request, parts: dict[str, str]) -> Response:
    try:
        return answer_envelope(org, request, parts["version"])
    except SoapRefused as refused:
        return fault(refused.code, refused.message)
    except NoSuchOperation as unknown:
        text = f"No operation available for request {{urn:partner.soap.sforce.com}}{unknown}"
        body = f"<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{escape(text)}</faultstring></soapenv:Fault>"
        return Response(
            500, ENVELOPE.format(names=FAULT, header="", body=body).encode(), XML, error_code="soapenv:Client"
        )


def answer_envelope(org: Org, request: Request, version_text: str) -> Response:
    version = read_version(version_text)
    try:
        envelope = fromstring(request.body.decode())
    except (ParseError, DefusedXmlException, UnicodeDecodeError) as unreadable:
        raise SoapRefused("UNKNOWN_EXCEPTION", f"The envelope cannot be read: {unreadable}") from unreadable
    operation = next((child for body in children(envelope, "Body") for child in body), None)
    if operation is None:
        raise SoapRefused("UNKNOWN_EXCEPTION", "The envelope has no body")
    name = local_name(operation)
    org.allowance.spend()
    if name == "login" and version <= LAST_WITH_LOGIN:
        return envelope_answer(org, name, log_in(org, request, operation, version))
    if name not in OPERATIONS:
        raise NoSuchOperation(name)
    request.caller = session_caller(org, envelope)
    return envelope_answer(org, name, OPERATIONS[name](org, request, operation, request.caller))


def read_version(text: str) -> int:
    number = text.removesuffix(".0")
    if not number.isdigit() or not OLDEST <= int(number) <= LATEST:
        raise SoapRefused("UNSUPPORTED_API_VERSION", f"Invalid Api version specified on URL: {text}")
    return int(number)


def session_caller(org: Org, envelope: Element) -> Caller:
    token = next((found.text or "" for found in envelope.iter() if local_name(found) == "sessionId"), "")
    session = org.sessions.find(token.strip(), org.clock())
    if session is None:
        raise SoapRefused("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
    return caller_for(org, session.user_id)


def log_in(org: Org, request: Request, operation: Element, version: int) -> str:
    user_id = user_named(org, text_of(operation, "username"))
    if user_id is None or text_of(operation, "password") != org.password or user_id != org.user_id:
        complaint = "Invalid username, password, security token; or user locked out."
        raise SoapRefused("INVALID_LOGIN", complaint)
    session = org.sessions.open(user_id, "", org.clock())
    org.logins.note(request, user_id, application="SOAP", kind="Partner Product")
    address = f"{request.origin}/services/Soap/{{}}/{version}.0/{org.org_id[:15]}"
    return element(
        "result",
        element("metadataServerUrl", escape(address.format("m"))),
        element("passwordExpired", "false"),
        element("sandbox", "true"),
        element("serverUrl", escape(address.format("u"))),
        element("sessionId", escape(session.token)),
        element("userId", user_id),
        element("userInfo", user_info(org, user_id)),
    )


def get_user_info(org: Org, _request: Request, _operation: Element, caller: Caller) -> str:
    return element("result", user_info(org, caller.user_id))


def user_info(org: Org, user_id: str) -> str:
    organization = (
        org.store.connection().execute('SELECT * FROM "Organization" WHERE "Id" = ?', (org.org_id,)).fetchone()
    )
    name = " ".join(
        str(part) for part in (user_fact(org, user_id, "FirstName"), user_fact(org, user_id, "LastName")) if part
    )
    facts = {
        "accessibilityMode": "false",
        "organizationId": org.org_id,
        "organizationMultiCurrency": "false",
        "organizationName": organization["Name"] if organization else "",
        "profileId": user_fact(org, user_id, "ProfileId"),
        "roleId": user_fact(org, user_id, "UserRoleId"),
        "sessionSecondsValid": "7200",
        "userEmail": user_fact(org, user_id, "Email"),
        "userFullName": name,
        "userId": user_id,
        "userLanguage": user_fact(org, user_id, "LanguageLocaleKey"),
        "userLocale": user_fact(org, user_id, "LocaleSidKey"),
        "userName": user_fact(org, user_id, "Username"),
        "userTimeZone": user_fact(org, user_id, "TimeZoneSidKey"),
        "userType": "Standard",
    }
    return "".join(optional(name, None if value is None else str(value)) for name, value in facts.items())


def get_server_timestamp(org: Org, _request: Request, _operation: Element, _caller: Caller) -> str:
    return element("result", element("timestamp", stamp(org.clock())))


def convert_lead(org: Org, _request: Request, operation: Element, caller: Caller) -> str:
    """Each conversion stands alone: one that fails leaves the others done."""
    asked = children(operation, "leadConverts")
    if len(asked) > MOST_CONVERSIONS:
        raise SoapRefused(
            "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_CONVERSIONS} records"
        )
    return "".join(element("result", conversion(org.records.convert(caller, read_conversion(each)))) for each in asked)


def read_conversion(asked: Element) -> ConvertRequest:
    return ConvertRequest(
        lead_id=text_of(asked, "leadId"),
        converted_status=text_of(asked, "convertedStatus"),
        account_id=text_of(asked, "accountId") or None,
        contact_id=text_of(asked, "contactId") or None,
        opportunity_id=text_of(asked, "opportunityId") or None,
        owner_id=text_of(asked, "ownerId") or None,
        do_not_create_opportunity=is_true(asked, "doNotCreateOpportunity"),
        opportunity_name=text_of(asked, "opportunityName") or None,
        overwrite_lead_source=is_true(asked, "overwriteLeadSource"),
        send_notification_email=is_true(asked, "sendNotificationEmail"),
    )


def conversion(result: ConvertResult) -> str:
    return "".join(
        (
            optional("accountId", result.account_id),
            optional("contactId", result.contact_id),
            "".join(soap_error(error) for error in result.errors),
            optional("leadId", result.lead_id),
            optional("opportunityId", result.opportunity_id),
            element("success", "true" if result.success else "false"),
        )
    )


def merge(org: Org, _request: Request, operation: Element, caller: Caller) -> str:
    asked = children(operation, "request")
    if len(asked) > MOST_MERGES:
        raise SoapRefused("EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MOST_MERGES} records")
    return "".join(element("result", merge_one(org, each, caller)) for each in asked)


def merge_one(org: Org, asked: Element, caller: Caller) -> str:
    master = next(iter(children(asked, "masterRecord")), None)
    losers = [(found.text or "").strip() for found in children(asked, "recordToMergeIds")]
    if master is None or not losers:
        return merge_refusal(RecordError("MISSING_ARGUMENT", "masterRecord and recordToMergeIds are required"))
    if len(losers) > MOST_MERGED:
        return merge_refusal(
            RecordError("TOO_MANY_MERGE_RECORDS", f"no more than {MOST_MERGED} records can be merged into one")
        )
    values: dict[str, object] = {
        local_name(child): child.text
        for child in master
        if local_name(child).lower() not in ("type", "id", "fieldstonull")
    }
    values |= {(child.text or "").strip(): None for child in children(master, "fieldsToNull")}
    result = org.records.merge(caller, text_of(master, "type"), text_of(master, "Id"), losers, values)
    if not result.success:
        return (
            "".join(soap_error(error) for error in result.errors) + optional("id", None) + element("success", "false")
        )
    merged = "".join(element("mergedRecordIds", loser) for loser in losers)
    return optional("id", result.id) + merged + element("success", "true")


def merge_refusal(error: RecordError) -> str:
    return soap_error(error) + optional("id", None) + element("success", "false")


OPERATIONS: dict[str, Operation] = {
    "getUserInfo": get_user_info,
    "getServerTimestamp": get_server_timestamp,
    "convertLead": convert_lead,
    "merge": merge,
}


def soap_error(error: RecordError) -> str:
    fields = "".join(element("fields", escape(field)) for field in error.fields)
    return element("errors", fields, element("message", escape(error.message)), element("statusCode", error.code))


def fault(code: str, message: str) -> Response:
    kind = "LoginFault" if code == "INVALID_LOGIN" else "UnexpectedErrorFault"
    text = escape(message)
    body = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {text}</faultstring><detail>"
        f'<sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:{kind}></detail></soapenv:Fault>"
    )
    return Response(500, ENVELOPE.format(names=FAULT, header="", body=body).encode(), XML, error_code=code)


def envelope_answer(org: Org, name: str, content: str) -> Response:
    usage = f"<current>{org.allowance.used}</current><limit>{org.allowance.maximum}</limit><type>API REQUESTS</type>"
    header = f"<soapenv:Header><LimitInfoHeader><limitInfo>{usage}</limitInfo></LimitInfoHeader></soapenv:Header>"
    body = f"<{name}Response>{content}</{name}Response>"
    return Response(200, ENVELOPE.format(names=PARTNER, header=header, body=body).encode(), XML)


def element(name: str, *content: str) -> str:
    return f"<{name}>{''.join(content)}</{name}>"


def optional(name: str, text: str | None) -> str:
    return f'<{name} xsi:nil="true"/>' if text is None else element(name, escape(text))


def children(parent: Element, name: str) -> list[Element]:
    return [child for child in parent if local_name(child) == name]


def text_of(parent: Element, name: str) -> str:
    return next(((child.text or "").strip() for child in parent if local_name(child) == name), "")


def is_true(parent: Element, name: str) -> bool:
    return text_of(parent, name).lower() in ("true", "1")


def local_name(element_: Element) -> str:
    return element_.tag.rpartition("}")[2]


ROUTES: list[Route] = [
    route("POST", "services/Soap/u/{version}", partner_view),
    route("POST", "services/Soap/u/{version}/{org}", partner_view),
]
