"""From what Salesforce answered to one of our errors, named by whose move it is. The CRM's own words are kept as they came."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from relance.crm.dialect import (
    CrmBusy,
    CrmError,
    CrmMisconfigured,
    CrmOutcomeUnknown,
    CrmRefused,
    KnownCode,
    Layer,
    Retry,
    RowError,
)
from relance.crm.salesforce.errors_catalogue import KNOWN_CODES, NOTHING_WAS_WRITTEN, known_code

KEPT_OF_A_BODY = 64_000
POLICY_FORBIDS_API = "not valid for use with the rest api"
CONCURRENT_LIMIT_WAIT = timedelta(seconds=30)
DAILY_LIMIT_WAIT = timedelta(minutes=30)  # the 24 hours roll: some of the budget frees well before midnight
TOKEN_LIMIT_WAIT = timedelta(minutes=2)

_ID = re.compile(r"\b[a-zA-Z0-9]{15}(?:[A-Z0-5]{3})?\b")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Write:
    """What a call was about to change, so that a lost answer can say which rows to look for."""

    keys: tuple[str, ...] = ()
    makes_no_twin: bool = False


def error_from_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, during: str, write: Write | None = None
) -> CrmError:
    """The error an unsuccessful answer stands for, whether it speaks JSON or is a page for browsers."""
    text = body.decode("utf-8", "replace")
    told = row_errors(_json_or_none(text))
    first = told[0] if told else RowError(code=f"HTTP_{status}", message=_words_of(text))
    if status == 401 and POLICY_FORBIDS_API in first.message.lower():
        first = RowError("SESSION_NOT_VALID_FOR_API", first.message)
    wrote_perhaps = write if status >= 500 and first.code.upper() not in NOTHING_WAS_WRITTEN else None
    return error_from_words(
        first,
        known=_known(status, first),
        status=status,
        headers=headers,
        text=text,
        during=during,
        wrote_perhaps=wrote_perhaps,
    )


def error_from_words(
    first: RowError,
    *,
    known: KnownCode,
    status: int,
    headers: Mapping[str, str],
    text: str,
    during: str,
    wrote_perhaps: Write | None,
) -> CrmError:
    """One of our errors, from the code and the sentence of the CRM. A write whose fate they do not tell is an outcome unknown."""
    shared = _shared(first, known, status=status, text=text, during=during)
    wait = retry_after(headers)
    if wrote_perhaps is not None:
        return CrmOutcomeUnknown(
            **shared, keys=wrote_perhaps.keys, makes_no_twin=wrote_perhaps.makes_no_twin, retry_after=wait
        )
    if known.retry is Retry.LATER:
        limit_wait, whole_org = _limit(first)
        return CrmBusy(**shared, retry_after=wait or limit_wait, whole_org=whole_org or status in (429, 503))
    # Not found: our calls name objects and lists of rows, never one row, so what is missing is a right or the object itself.
    if status != 404 and known.layer in (Layer.DATA, Layer.RULE, Layer.DUPLICATE, Layer.REFERENCE):
        return CrmRefused(**shared)
    return CrmMisconfigured(**shared)


def error_from_token_answer(status: int, headers: Mapping[str, str], body: bytes) -> CrmError:
    """The error behind a refused token. OAuth speaks in two words: an error, and a description that tells what really happened."""
    text = body.decode("utf-8", "replace")
    answer = _json_or_none(text)
    if not isinstance(answer, dict) or "error" not in answer:
        return error_from_answer(status, headers, body, during="POST /services/oauth2/token")
    said = RowError(str(answer["error"]), str(answer.get("error_description") or ""))
    known = _known_grant(said.code, said.message)
    shared = _shared(said, known, status=status, text=text, during="POST /services/oauth2/token")
    if known.retry is Retry.LATER:
        return CrmBusy(**shared, retry_after=retry_after(headers) or TOKEN_LIMIT_WAIT, whole_org=True)
    return CrmMisconfigured(**shared)


def connection_lost(trouble: BaseException, *, during: str, write: Write | None, sent: bool) -> CrmError:
    """No whole answer came. For a write that left, that is an outcome unknown; for all else, try again."""
    shared: dict[str, Any] = {
        "code": type(trouble).__name__.upper(),
        "message": str(trouble) or type(trouble).__name__,
        "layer": Layer.CONNECTION,
        "remedy": "wait",
        "during": during,
    }
    if write is not None and sent:
        return CrmOutcomeUnknown(**shared, keys=write.keys, makes_no_twin=write.makes_no_twin)
    return CrmBusy(**shared)


def row_errors(told: object) -> tuple[RowError, ...]:
    """The refusals in an error list, whichever of the three spellings it uses: REST, collections, Bulk."""
    if isinstance(told, dict):
        told = [told]
    if not isinstance(told, list):
        return ()
    return tuple(_row_error(each) for each in told if isinstance(each, dict) and _code_of(each))


def code_in(body: bytes) -> str:
    told = row_errors(_json_or_none(body.decode("utf-8", "replace")))
    return told[0].code if told else ""


def known_error(error: RowError) -> KnownCode:
    return known_code(error.code, error.message)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """How long the answer asks to wait: seconds, or a date read against the answer's own clock."""
    asked = headers.get("retry-after", "").strip()
    if not asked:
        return None
    if asked.isdigit():
        return timedelta(seconds=int(asked))
    until = http_date(asked)
    now = http_date(headers.get("date", "")) or datetime.now(UTC)
    return max(until - now, timedelta()) if until else None


def http_date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def ids_in(text: str) -> tuple[str, ...]:
    """Record ids named in a message: Salesforce says so which row a value belongs to already."""
    return tuple(dict.fromkeys(found for found in _ID.findall(text) if any(sign.isdigit() for sign in found[:3])))


def _shared(first: RowError, known: KnownCode, *, status: int, text: str, during: str) -> dict[str, Any]:
    return {
        "code": first.code,
        "message": first.message,
        "body": text[:KEPT_OF_A_BODY],
        "status": status,
        "layer": known.layer,
        "move": known.move,
        "remedy": known.remedy,
        "retry": known.retry,
        "fields": first.fields,
        "during": during,
    }


def _known(status: int, first: RowError) -> KnownCode:
    if first.code.upper() in KNOWN_CODES:
        return known_error(first)
    if status == 300:
        return KNOWN_CODES["DUPLICATE_EXTERNAL_ID"]
    if status == 401:
        return KNOWN_CODES["INVALID_SESSION_ID"]
    if status == 403:
        return KNOWN_CODES["INSUFFICIENT_ACCESS"]
    if status in (408, 429) or status >= 500:
        return KNOWN_CODES["SERVER_UNAVAILABLE"]
    if status == 410:
        return KNOWN_CODES["UNSUPPORTED_API_VERSION"]
    if status == 404:
        return KNOWN_CODES["NOT_FOUND"]
    if status < 400:  # a redirection, or a page where data was due: this is not the CRM we think it is
        return KnownCode(Layer.CONNECTION, KNOWN_CODES["INVALID_LOGIN"].move, Retry.AFTER_FIX, "address_unknown")
    return known_error(first)


def _known_grant(error: str, description: str) -> KnownCode:
    said = description.lower()
    if error == "rate_limit_exceeded" or "login rate" in said:
        return KNOWN_CODES["RATE_LIMIT_EXCEEDED"]
    if error in ("invalid_grant", "inactive_user", "inactive_org", "access_denied", "invalid_request"):
        for words, code in (
            ("ip restricted", "INVALID_GRANT_IP_RESTRICTED"),
            ("approved this", "INVALID_GRANT_NOT_APPROVED"),
            ("no client credentials user", "INVALID_GRANT_NO_RUN_AS_USER"),
            ("inactive org", "INVALID_GRANT_INACTIVE_ORG"),
            ("inactive user", "INVALID_GRANT_INACTIVE_USER"),
            ("expired", "INVALID_GRANT_EXPIRED"),
            ("revoked", "INVALID_GRANT_EXPIRED"),
        ):
            if words in said:
                return KNOWN_CODES[code]
        return KNOWN_CODES["INVALID_GRANT"]
    return KNOWN_CODES.get(error.upper(), KNOWN_CODES["INVALID_GRANT"])


def _limit(first: RowError) -> tuple[timedelta | None, bool]:
    if first.code.upper() != "REQUEST_LIMIT_EXCEEDED":
        return None, False
    if "concurrent" in first.message.lower():
        return CONCURRENT_LIMIT_WAIT, False
    return DAILY_LIMIT_WAIT, True


def _code_of(told: Mapping[str, Any]) -> str:
    return str(told.get("errorCode") or told.get("statusCode") or told.get("extendedErrorCode") or "")


def _row_error(told: Mapping[str, Any]) -> RowError:
    code, message = _code_of(told), str(told.get("message") or "")
    return RowError(
        code=code,
        message=message,
        fields=tuple(str(name) for name in told.get("fields") or ()),
        other_ids=_other_ids(code, message, told),
    )


def _other_ids(code: str, message: str, told: Mapping[str, Any]) -> tuple[str, ...]:
    # Observed answers misspell the key; newer ones may not.
    result = told.get("duplicateResut") or told.get("duplicateResult")
    if isinstance(result, dict):
        return tuple(
            str(met["record"]["Id"])
            for match in result.get("matchResults") or ()
            for met in match.get("matchRecords") or ()
            if (met.get("record") or {}).get("Id")
        )
    if code in ("DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID", "UNABLE_TO_LOCK_ROW"):
        return ids_in(message)
    return ()


def _json_or_none(text: str) -> object:
    try:
        answer: object = json.loads(text)
    except ValueError:
        return None
    return answer


def _words_of(text: str) -> str:
    """The sentence inside a page meant for browsers: maintenance and gateways answer so."""
    if "<" not in text:
        return text.strip()[:300]
    title = _TITLE.search(text)
    words = title.group(1) if title else _TAGS.sub(" ", text)
    return " ".join(html.unescape(words).split())[:300]
