"""The allowances of the org: the limits resource, and the meter every REST answer carries."""

from __future__ import annotations

from relance.sandbox.exchange import Request, Response, Route, json_response, route
from relance.sandbox.org import Org
from relance.sandbox.soql_names import find_object
from relance.sandbox.store import quoted

FIXED = {
    "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000,
    "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562,
    "DailyBulkV2QueryJobs": 10_000,
    "DailyGenericStreamingApiEvents": 10_000,
    "DailyStreamingApiEvents": 10_000,
    "DailyWorkflowEmails": 1_000,
    "DataStorageMB": 10_240,
    "FileStorageMB": 10_240,
    "HourlyAsyncReportRuns": 1_200,
    "HourlyPublishedPlatformEvents": 50_000,
    "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000,
    "SingleEmail": 5_000,
}


def limits_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    daily = {"Max": org.allowance.maximum, "Remaining": max(0, org.allowance.maximum - org.allowance.used)}
    fixed = {name: {"Max": maximum, "Remaining": maximum} for name, maximum in FIXED.items()}
    return json_response(dict(sorted({"DailyApiRequests": daily, **fixed}.items())))


def record_count_view(org: Org, request: Request, _parts: dict[str, str]) -> Response:
    names = [name for name in request.query.get("sObjects", "").split(",") if name]
    things = (find_object(org.schema, request.caller, name) for name in names)
    counts = [
        {
            "count": org.store.connection().execute(f"SELECT count(*) FROM {quoted(thing.name)}").fetchone()[0],
            "name": thing.name,
        }
        for thing in things
        if thing is not None and thing.queryable
    ]
    return json_response({"sObjects": counts})


def limit_info(org: Org) -> str:
    """The value of `Sforce-Limit-Info`."""
    return f"api-usage={org.allowance.used}/{org.allowance.maximum}"


ROUTES: list[Route] = [
    route("GET", "limits", limits_view),
    route("GET", "limits/recordCount", record_count_view),
]
