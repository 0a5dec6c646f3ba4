"""The codes Salesforce refuses with: where each comes from, whose move it is, whether the same thing sent again can succeed.

Identifiers only. What people read is made from `remedy` and the CRM's own words, in the reasons of this room.
"""

from __future__ import annotations

from relance.crm.dialect import KnownCode, Layer, Move, Retry

UNHEARD_OF = KnownCode(Layer.UNKNOWN, Move.CRM_ADMIN, Retry.AFTER_FIX, "read_the_message")

_US, _CRM, _OWNER, _VENDOR, _NOBODY = Move.RELANCE_ADMIN, Move.CRM_ADMIN, Move.OWNER, Move.VENDOR, Move.OURS
_LATER, _FIX, _CHANGE, _NEVER = Retry.LATER, Retry.AFTER_FIX, Retry.ON_CHANGE, Retry.NEVER

_BY_LAYER: dict[Layer, dict[str, tuple[Move, Retry, str]]] = {
    Layer.CONNECTION: {
        "INVALID_SESSION_ID": (_US, _FIX, "reconnect"),
        "SESSION_NOT_VALID_FOR_API": (_CRM, _FIX, "allow_api_for_user"),
        "API_CURRENTLY_DISABLED": (_CRM, _FIX, "allow_api_for_user"),
        "API_DISABLED_FOR_ORG": (_CRM, _FIX, "allow_api_for_org"),
        "CLIENT_NOT_ACCESSIBLE_FOR_USER": (_CRM, _FIX, "approve_app"),
        "INVALID_LOGIN": (_US, _NEVER, "reconnect"),
        "PASSWORD_LOCKOUT": (_CRM, _NEVER, "unlock_user"),
        "INVALID_OPERATION_WITH_EXPIRED_PASSWORD": (_CRM, _NEVER, "reconnect"),
        "LOGIN_MUST_USE_SECURITY_TOKEN": (_US, _FIX, "reconnect"),
        "LOGIN_DURING_RESTRICTED_DOMAIN": (_CRM, _FIX, "allow_addresses"),
        "LOGIN_DURING_RESTRICTED_TIME": (_CRM, _FIX, "login_hours"),
        "LOGIN_CHALLENGE_ISSUED": (_CRM, _FIX, "reconnect"),
        "TXN_SECURITY_NO_ACCESS": (_CRM, _FIX, "security_policy"),
        "TRIAL_EXPIRED": (_CRM, _FIX, "org_closed"),
        "ORG_LOCKED": (_VENDOR, _LATER, "wait"),
        "ORG_IN_MAINTENANCE": (_VENDOR, _LATER, "wait"),
        "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE": (_VENDOR, _LATER, "wait"),
        "SERVER_UNAVAILABLE": (_VENDOR, _LATER, "wait"),
        "FUNCTIONALITY_TEMPORARILY_UNAVAILABLE": (_VENDOR, _LATER, "wait"),
        "REQUEST_RUNNING_TOO_LONG": (_CRM, _LATER, "smaller_batches"),
        # The OAuth answers, in capitals so that one list serves.
        "INVALID_GRANT_EXPIRED": (_US, _NEVER, "reconnect"),
        "INVALID_GRANT_INACTIVE_USER": (_CRM, _FIX, "activate_user"),
        "INVALID_GRANT_INACTIVE_ORG": (_CRM, _FIX, "org_closed"),
        "INVALID_GRANT_IP_RESTRICTED": (_CRM, _FIX, "allow_addresses"),
        "INVALID_GRANT_NOT_APPROVED": (_CRM, _FIX, "approve_app"),
        "INVALID_GRANT_NO_RUN_AS_USER": (_CRM, _FIX, "run_as_user"),
        "INVALID_GRANT": (_US, _FIX, "reconnect"),
        "INVALID_CLIENT": (_US, _FIX, "app_key"),
        "INVALID_CLIENT_ID": (_US, _FIX, "app_key"),
        "UNSUPPORTED_GRANT_TYPE": (_CRM, _FIX, "enable_flow"),
        "UNAUTHORIZED_CLIENT": (_CRM, _FIX, "enable_flow"),
        "INVALID_SCOPE": (_CRM, _FIX, "enable_flow"),
        "ORG_SWAPPED": (_US, _FIX, "org_swapped"),
    },
    Layer.PERMISSION: {
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (_CRM, _FIX, "grant_related_record"),
        "INSUFFICIENT_ACCESS_OR_READONLY": (_CRM, _FIX, "grant_record"),
        "INSUFFICIENT_ACCESS": (_CRM, _FIX, "grant_object"),
        "INVALID_FIELD_FOR_INSERT_UPDATE": (_CRM, _FIX, "grant_field"),
        "INVALID_TYPE": (_CRM, _FIX, "grant_object"),
        "INVALID_TYPE_FOR_OPERATION": (_CRM, _FIX, "grant_object"),
        "TRANSFER_REQUIRES_READ": (_CRM, _FIX, "grant_new_owner"),
        "MISSING_CONVERTED_LEAD_PERMISSION": (_CRM, _FIX, "grant_converted_leads"),
        "MISSING_ISREPLICATEABLE_PERMISSION": (_VENDOR, _FIX, "vendor_case"),
        "UNAVAILABLE_RECORDTYPE_EXCEPTION": (_CRM, _FIX, "grant_record_type"),
        "FUNCTIONALITY_NOT_ENABLED": (_CRM, _FIX, "enable_feature"),
        "OPERATION_TOO_LARGE": (_CRM, _FIX, "grant_view_all"),
    },
    Layer.SCHEMA: {
        "INVALID_FIELD": (_US, _FIX, "refresh_fields"),
        "MALFORMED_QUERY": (_US, _FIX, "report_to_us"),
        "JSON_PARSER_ERROR": (_US, _FIX, "report_to_us"),
        "XML_PARSER_ERROR": (_US, _FIX, "report_to_us"),
        "INVALID_OPERATION": (_US, _FIX, "report_to_us"),
        "METHOD_NOT_ALLOWED": (_US, _FIX, "report_to_us"),
        "INVALID_CONTENT_TYPE": (_US, _FIX, "report_to_us"),
        "INVALIDJOB": (_US, _FIX, "report_to_us"),
        "INVALIDJOBSTATE": (_US, _FIX, "report_to_us"),
        "UNSUPPORTED_API_VERSION": (_US, _FIX, "api_version"),
        "INVALIDVERSION": (_US, _FIX, "api_version"),
        "UNSUPPORTED_CLIENT": (_US, _FIX, "api_version"),
        "INVALID_REPLICATION_DATE": (_US, _FIX, "read_everything_again"),
    },
    Layer.RULE: {
        "FIELD_CUSTOM_VALIDATION_EXCEPTION": (_OWNER, _CHANGE, "validation_rule"),
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (_CRM, _LATER, "trigger"),
        "CANNOT_EXECUTE_FLOW_TRIGGER": (_CRM, _LATER, "flow"),
        "FIELD_FILTER_VALIDATION_EXCEPTION": (_CRM, _CHANGE, "lookup_filter"),
        "INVALID_ASSIGNMENT_RULE": (_US, _FIX, "assignment_rule"),
    },
    Layer.DATA: {
        "REQUIRED_FIELD_MISSING": (_OWNER, _CHANGE, "fill_required"),
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (_US, _CHANGE, "picklist_value"),
        "FIELD_INTEGRITY_EXCEPTION": (_OWNER, _CHANGE, "correct_value"),
        "STRING_TOO_LONG": (_US, _CHANGE, "shorten_value"),
        "NUMBER_OUTSIDE_VALID_RANGE": (_OWNER, _CHANGE, "correct_value"),
        "INVALID_EMAIL_ADDRESS": (_OWNER, _CHANGE, "correct_email"),
        "TEXT_DATA_OUTSIDE_SUPPORTED_CHARSET": (_OWNER, _CHANGE, "correct_value"),
        "INVALID_TYPE_ON_FIELD_IN_RECORD": (_US, _FIX, "convert_value"),
        "INVALID_CURRENCY_ISO": (_CRM, _FIX, "currency"),
        "TOO_MANY_ENUM_VALUE": (_OWNER, _CHANGE, "picklist_value"),
        "INVALID_STATUS": (_US, _CHANGE, "picklist_value"),
        "INVALID_PERSON_ACCOUNT_OPERATION": (_US, _FIX, "person_account"),
    },
    Layer.DUPLICATE: {
        "DUPLICATES_DETECTED": (_US, _CHANGE, "link_duplicate"),
        "DUPLICATE_VALUE": (_US, _CHANGE, "link_duplicate"),
        "DUPLICATE_EXTERNAL_ID": (_CRM, _FIX, "merge_duplicates"),
    },
    Layer.REFERENCE: {
        "ENTITY_IS_DELETED": (_US, _CHANGE, "deleted_row"),
        "NOT_FOUND": (_US, _FIX, "hidden_or_gone"),
        "INVALID_CROSS_REFERENCE_KEY": (_US, _FIX, "repair_reference"),
        "INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD": (_US, _FIX, "repair_reference"),
        "MALFORMED_ID": (_US, _FIX, "repair_reference"),
        "INVALID_ID_FIELD": (_US, _FIX, "report_to_us"),
        "MISSING_ARGUMENT": (_US, _FIX, "report_to_us"),
        "CANNOT_UPDATE_CONVERTED_LEAD": (_NOBODY, _FIX, "follow_conversion"),
        "MERGE_FAILED": (_CRM, _FIX, "read_the_message"),
        "DELETE_FAILED": (_CRM, _FIX, "read_the_message"),
        "UNDELETE_FAILED": (_CRM, _FIX, "read_the_message"),
        "DEPENDENCY_EXISTS": (_CRM, _FIX, "read_the_message"),
        "DELETE_REQUIRED_ON_CASCADE": (_CRM, _FIX, "read_the_message"),
        "INACTIVE_OWNER_OR_USER": (_US, _FIX, "map_owner"),
        "OP_WITH_INVALID_USER_TYPE_EXCEPTION": (_US, _FIX, "map_owner"),
        "CANNOT_REPARENT_RECORD": (_CRM, _CHANGE, "read_the_message"),
    },
    Layer.LIMIT: {
        "REQUEST_LIMIT_EXCEEDED": (_US, _LATER, "request_budget"),
        "LIMIT_EXCEEDED": (_CRM, _FIX, "org_limit"),
        "EXCEEDED_QUOTA": (_CRM, _FIX, "org_limit"),
        "STORAGE_LIMIT_EXCEEDED": (_CRM, _FIX, "org_storage"),
        "TOO_MANY_APEX_REQUESTS": (_NOBODY, _LATER, "wait"),
        "EXCEEDED_ID_LIMIT": (_NOBODY, _LATER, "smaller_batches"),
        "EXCEEDED_MAX_SIZE_REQUEST": (_NOBODY, _LATER, "smaller_batches"),
        "INVALID_BATCH_SIZE": (_NOBODY, _LATER, "smaller_batches"),
        "EXCEEDED_LEAD_CONVERT_LIMIT": (_NOBODY, _LATER, "smaller_batches"),
        "SINGLE_EMAIL_LIMIT_EXCEEDED": (_CRM, _LATER, "owner_mails"),
        "MASS_MAIL_LIMIT_EXCEEDED": (_CRM, _LATER, "owner_mails"),
        "QUERY_TIMEOUT": (_NOBODY, _LATER, "smaller_batches"),
        "QUERY_TOO_COMPLICATED": (_US, _FIX, "fewer_fields"),
        "INVALID_QUERY_LOCATOR": (_NOBODY, _LATER, "wait"),
        "RATE_LIMIT_EXCEEDED": (_NOBODY, _LATER, "wait"),
    },
    Layer.LOCK: {
        "UNABLE_TO_LOCK_ROW": (_NOBODY, _LATER, "wait"),
        "ENTITY_IS_LOCKED": (_CRM, _LATER, "approval"),
        "ALREADY_IN_PROCESS": (_CRM, _FIX, "approval"),
        "RECORD_IN_USE_BY_WORKFLOW": (_NOBODY, _LATER, "wait"),
        "TERRITORY_REALIGN_IN_PROGRESS": (_NOBODY, _LATER, "wait"),
        "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE": (_NOBODY, _LATER, "wait"),
    },
    Layer.UNKNOWN: {
        "ALL_OR_NONE_OPERATION_ROLLED_BACK": (_NOBODY, _LATER, "wait"),
        "PROCESSING_HALTED": (_NOBODY, _LATER, "wait"),
        "UNKNOWN_EXCEPTION": (_VENDOR, _LATER, "vendor_case"),
    },
}

KNOWN_CODES: dict[str, KnownCode] = {
    code: KnownCode(layer, *known) for layer, codes in _BY_LAYER.items() for code, known in codes.items()
}

# A 5xx with one of these says that nothing was written; with any other code, or none, nobody knows.
NOTHING_WAS_WRITTEN = frozenset(
    code
    for code, known in KNOWN_CODES.items()
    if known.retry is Retry.LATER and code not in {"UNKNOWN_EXCEPTION", "REQUEST_RUNNING_TOO_LONG"}
)


def known_code(code: str, message: str = "") -> KnownCode:
    """What is known of a code. Some codes mean two things, told apart by the words that come with them."""
    wanted = code.upper()
    if wanted == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" and "entity type cannot be" in message.lower():
        return KNOWN_CODES["INSUFFICIENT_ACCESS"]
    # Apex and flows wrap the code that really stopped them: "…: first error: FIELD_CUSTOM_VALIDATION_EXCEPTION, …".
    if (
        wanted in {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER"}
        and "UNABLE_TO_LOCK_ROW" in message
    ):
        return KNOWN_CODES["UNABLE_TO_LOCK_ROW"]
    return KNOWN_CODES.get(wanted, UNHEARD_OF)
