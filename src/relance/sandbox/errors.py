"""Refusals of the sandbox, in the exact bodies the real CRM answers with."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """The request is refused as a whole: an HTTP status and the array of errors that goes with it."""

    def __init__(self, status: int, code: str, message: str, *, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = None if fields is None else list(fields)

    def body(self) -> list[dict[str, object]]:
        error: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]


class OAuthRefused(Exception):
    """The token endpoint speaks its own shape: `error` and `error_description`, mostly with status 400."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.error = error
        self.description = description

    def body(self) -> dict[str, str]:
        return {"error": self.error, "error_description": self.description}


class SoapRefused(Exception):
    """A SOAP fault: always HTTP 500, the code in `sf:exceptionCode`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def refuse_session() -> Refused:
    return Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")


def refuse_path() -> Refused:
    return Refused(404, "NOT_FOUND", "The requested resource does not exist")


def refuse_method(method: str) -> Refused:
    return Refused(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are GET,POST,PATCH,DELETE")


def refuse_record() -> Refused:
    return Refused(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: ")


def refuse_json(what: str) -> Refused:
    return Refused(400, "JSON_PARSER_ERROR", what)


def refuse_object(name: str) -> Refused:
    """An object that is absent and one the user may not read look the same from outside."""
    return Refused(
        400,
        "INVALID_TYPE",
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the "
        "'__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.",
    )
