"""One of every part on one page, for those who build pages: /components. Names and figures in it are invented."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from relance.decisions.rules import Verdict

from .charts import Event, Series, line_chart
from .doors import opens_to_everyone_signed_in

SWATCHES = (
    *("accent", "why", "ok", "warn", "bad", "info"),
    *("accent-soft", "why-soft", "ok-soft", "warn-soft", "bad-soft", "info-soft"),
    *("canvas", "surface", "surface-3", "line-2", "ink-3", "ink"),
    *("d1", "d2", "d3", "d4", "d5", "d6"),
)


class CadenceForm(forms.Form):
    """A form with a hint, an error, a choice and a switch."""

    name = forms.CharField(label="Name of the cadence")
    mails = forms.IntegerField(label="Mails a day and a person", help_text="Manual and automated mails count.")
    domain = forms.CharField(label="Tracking domain")
    delay = forms.ChoiceField(
        label="Delay between two mails",
        choices=[("random", "Random, 3 to 9 minutes"), ("fixed", "Always 5 minutes")],
        widget=forms.RadioSelect,
    )
    warn = forms.BooleanField(label="Warn me above 5% opt-outs", required=False)

    def clean_domain(self) -> str:
        raise forms.ValidationError("This domain does not point to Relance yet: add the CNAME record, then save again.")


@dataclass(frozen=True, slots=True)
class ShownReason:
    says: str
    verdict: str = "go"
    seen: dict[str, Any] = field(default_factory=dict)
    decisive: bool = False
    fact: str = ""


def shown_decision(now: datetime) -> SimpleNamespace:
    """A decision as the ledger would tell it."""
    return SimpleNamespace(
        name="d-81f4c2",
        at=now - timedelta(minutes=3),
        policy="salesforce, version 7",
        verdict=Verdict.SKIP,
        explained=[
            ShownReason("The record belongs to the mapped object", fact="Lead, record type Prospect"),
            ShownReason("The value fits the field", fact="Phone, 40 characters at most"),
            ShownReason(
                "Salesforce is right about the phone number",
                "skip",
                {
                    "field": "Phone",
                    "kept": "+33 4 72 40 18 33",
                    "value": "01 02 03 04",
                    "since": now - timedelta(days=200),
                },
                decisive=True,
            ),
            ShownReason("Waits until the sync is resumed", "wait"),
        ],
        would_change=["Let Relance be right about the phone number, in CRM › Fields."],
    )


@require_safe
@opens_to_everyone_signed_in
def components(request: HttpRequest) -> HttpResponse:
    """The page itself."""
    now = timezone.now()
    form = CadenceForm(
        {"name": "Quote follow-up", "mails": 80, "domain": "go.hexalis.example", "delay": "random", "warn": "on"}
    )
    return render(
        request,
        "components.html",
        {
            "swatches": SWATCHES,
            "form": form,
            "decision": shown_decision(now),
            "tabs": shown_tabs(),
            "figures": shown_figures(),
            "days": shown_days(now),
            "work": shown_work(),
            "columns": [
                {"label": "Person", "sort": "?sort=name", "sorted": "ascending"},
                {"label": "Score", "end": True},
                {"label": "Company"},
            ],
            "rows": [
                {"cells": ["Paul Garnier", 64, "Boréal Énergie"], "address": "#", "is_on": True},
                {"cells": ["Hélène Rossi", 51, "Rossi Frères"], "address": "#"},
            ],
            "chart": shown_chart(now.date()),
            "causes": [
                ("Unsubscribed", 3604, ""),
                ("No consent", 2548, ""),
                ("Consent expired", 1536, "bad"),
                ("Bouncing address", 1190, ""),
            ],
            "health": ["ok"] * 12 + ["bad"] + ["ok"] * 15 + ["warn"] * 3 + ["ok"] * 6 + ["none"] * 3,
            "found": shown_palette(),
        },
    )


def shown_tabs() -> list[dict[str, Any]]:
    return [
        {"label": "Overview", "address": "#"},
        {"label": "Fields", "address": "#", "count": 64, "is_current": True},
        {"label": "Conversion", "address": "#", "count": 3, "tone": "warn"},
        {"label": "Errors", "address": "#", "count": 171, "tone": "bad"},
    ]


def shown_figures() -> list[dict[str, Any]]:
    return [
        {
            "label": "People",
            "value": "38,214",
            "trend": [36, 37, 37, 38, 39, 39, 38, 33],
            "tone": "bad",
            "change": "−3.8%",
            "detail": "since yesterday",
            "address": "#",
            "why": "d-81f4c2",
        },
        {
            "label": "Changes carried, 7 days",
            "value": "2,318",
            "trend": [3, 5, 2, 8, 9, 8, 9],
            "tone": "ok",
            "change": "+12%",
            "is_good": True,
            "detail": "against the week before",
        },
        {"label": "Reverts, 7 days", "value": "37", "trend": [1, 3, 6, 4, 9, 8, 8], "detail": "22 fake phone numbers"},
        {
            "label": "Sync delay",
            "value": "41",
            "unit": "s",
            "trend": [1, 1, 1, 1, 8, 2, 1],
            "tone": "d4",
            "detail": "aim: under 2 min",
        },
    ]


def shown_days(now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "day": now,
            "label": "Today",
            "events": [
                {
                    "icon": "shield-x",
                    "tone": "bad",
                    "who_did": "Phone number kept",
                    "rest": " as Salesforce has it",
                    "detail": "The form said 01 02 03 04.",
                    "at": now - timedelta(minutes=20),
                    "decision": "d-81f4c2",
                    "is_open": True,
                },
                {
                    "icon": "phone-outgoing",
                    "who_did": "Call by Yanis Belkacem",
                    "rest": ", 4 min 12",
                    "quote": "Wants to compare with the present contract. Call back on Thursday.",
                    "at": now - timedelta(hours=2),
                },
            ],
        },
        {
            "day": now - timedelta(days=1),
            "events": [
                {
                    "icon": "refresh",
                    "tone": "accent",
                    "who_did": "Converted to a contact",
                    "rest": " in Salesforce",
                    "detail": "11 fields carried, 1 not mapped",
                    "at": now - timedelta(days=1),
                }
            ],
        },
    ]


def shown_work() -> dict[str, Any]:
    facts = [{"label": "30,088 created"}, {"label": "1,264 updated"}, {"label": "48 to correct", "tone": "down"}]
    return {
        "id": "import",
        "title": "Import of 48,210 people",
        "done": 31_400,
        "total": 48_210,
        "left": "2 min left",
        "percent_ok": 62,
        "percent_to_fix": 3,
        "facts": facts,
        "state": "done",
    }


def shown_chart(today: date) -> str:
    days = [today - timedelta(days=29 - place) for place in range(30)]
    carried = [36 + place * 0.6 for place in range(28)] + [52, 38]
    refused = [4 + place % 3 for place in range(30)]
    return line_chart(
        [Series("Changes carried", carried), Series("Changes refused", refused, "d2")],
        days,
        size=(420, 220),
        summary="Changes carried each day: from 36 thirty days ago to 52 yesterday and 38 today; refused: 4 to 6 a day.",
        events=[Event(28, "A rule was turned on", "Lead_DQ_Reason, Monday at 17:20")],
    )


def shown_palette() -> list[dict[str, Any]]:
    return [
        {
            "title": "People",
            "entries": [
                {
                    "label": "Claire Meunier · Meunier Logistique",
                    "detail": "Lyon",
                    "face": "Claire Meunier",
                    "address": "#",
                }
            ],
        },
        {
            "title": "Actions",
            "entries": [
                {"label": "Why was the phone number kept?", "icon": "help-hexagon", "shortcut": "W", "address": "#"}
            ],
        },
    ]


urlpatterns = [path("components", components, name="components")]
