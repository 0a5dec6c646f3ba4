"""Settings of the workspace and its brands."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from relance.workspace.facts import countries_with_holidays, subdivision_names, upcoming_holidays
from relance.workspace.models import Brand, Workspace
from relance.workspace.rules import Permission, week_from_json
from relance.workspace.teams import BrandIsDefault, delete_brand, make_default_brand

from .doors import opens_to

SPANS_A_DAY = 2


def time_zone_choices() -> list[tuple[str, str]]:
    """Every time zone that is a place."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def country_choices() -> list[tuple[str, str]]:
    """The countries whose holidays are known, named in the reader's language."""
    names = Locale.parse(get_language() or "en").territories
    return sorted(((code, names.get(code, code)) for code in countries_with_holidays()), key=lambda pair: pair[1])


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]
    """The workspace's own settings; the hours of each day are fields of the page, not of the model."""

    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=time_zone_choices)
    country = forms.ChoiceField(label=gettext_lazy("Country of the holidays"), choices=country_choices)
    subdivision = forms.ChoiceField(
        label=gettext_lazy("Region of the holidays"),
        required=False,
        help_text=gettext_lazy("Some regions have holidays of their own, such as Alsace or Bavaria."),
    )

    class Meta:
        model = Workspace
        fields = ("name", "language", "time_zone", "country", "subdivision")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        country = self.data.get("country") or self.initial.get("country") or ""
        self.fields["subdivision"].choices = region_choices(country)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the hours of each day; what cannot be is told beside the day."""
        cleaned = super().clean() or {}
        self.week = {str(day): self._spans(day) for day in range(7)}
        self.hours_error = ""
        try:
            week_from_json(self.week)
        except ValueError:
            self.hours_error = _(
                "Each opening hour needs a later closing hour, and two periods of a day must not overlap. 00:00 closes at midnight."
            )
            self.add_error(None, self.hours_error)
        return cleaned

    def save(self, commit: bool = True) -> Workspace:
        self.instance.working_days = {day: spans for day, spans in self.week.items() if spans}
        saved: Workspace = super().save(commit)
        return saved

    @property
    def days(self) -> list[dict[str, Any]]:
        """The rows of the table of hours: a day's name and two periods."""
        kept = self.week if self.is_bound else self.instance.working_days
        return [
            {
                "name": name,
                "periods": [
                    {"opens": f"d{day}o{place}", "closes": f"d{day}c{place}", "from": opens, "to": closes}
                    for place, (opens, closes) in enumerate(_padded(kept.get(str(day), [])))
                ],
            }
            for day, name in WEEKDAYS.items()
        ]

    def _spans(self, day: int) -> list[list[str]]:
        told = [
            (self.data.get(f"d{day}o{place}", ""), self.data.get(f"d{day}c{place}", "")) for place in range(SPANS_A_DAY)
        ]
        return [[opens, closes] for opens, closes in told if opens or closes]


def region_choices(country: str) -> list[tuple[str, str]]:
    """The regions of a country, the whole country first."""
    regions = sorted(subdivision_names(country).items(), key=lambda pair: pair[1])
    return [("", _("Only the national holidays")), *regions]


def _padded(spans: list[list[str]]) -> list[tuple[str, str]]:
    pairs = [(opens, closes) for opens, closes in spans]
    return (pairs + [("", "")] * SPANS_A_DAY)[: max(SPANS_A_DAY, len(pairs))]


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_WORKSPACE)
def workspace_settings(request: HttpRequest) -> HttpResponse:
    """Name, language, time zone, working hours, holidays."""
    workspace = get_object_or_404(Workspace)
    form = WorkspaceForm(request.POST or None, instance=workspace)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The settings of the workspace were saved."))
        return redirect("settings-workspace")
    today = timezone.localdate()
    coming = upcoming_holidays(workspace.country, workspace.subdivision, today=today, language=get_language() or "en")
    return render(
        request,
        "settings/workspace.html",
        {"form": form, "coming": coming},
        status=422 if form.is_bound else 200,
    )


@require_safe
@opens_to(Permission.MANAGE_WORKSPACE)
def regions(request: HttpRequest) -> HttpResponse:
    """The regions of the country just chosen: a fragment that replaces the list of regions."""
    form = WorkspaceForm(initial={"country": request.GET.get("country", "")})
    return render(request, "settings/_regions.html", {"form": form})


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    """A brand as its page shows it."""

    website = forms.URLField(label=gettext_lazy("Website"), required=False, assume_scheme="https")

    class Meta:
        model = Brand
        fields = ("name", "language", "website")


@require_safe
@opens_to(Permission.MANAGE_WORKSPACE)
def brands(request: HttpRequest) -> HttpResponse:
    """The brands, the default one first."""
    return render(request, "settings/brands.html", {"brands": Brand.objects.order_by("-is_default", "name")})


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_WORKSPACE)
def new_brand(request: HttpRequest) -> HttpResponse:
    """Add a brand; the first one is the default."""
    return _brand_page(request, Brand(is_default=not Brand.objects.exists()))


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Permission.MANAGE_WORKSPACE)
def edit_brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    """Change a brand."""
    return _brand_page(request, get_object_or_404(Brand, pk=brand_id))


@require_POST
@opens_to(Permission.MANAGE_WORKSPACE)
def default_brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    """Speak under this brand by default."""
    brand = get_object_or_404(Brand, pk=brand_id)
    make_default_brand(brand)
    messages.success(request, _("“%(brand)s” is the default brand now.") % {"brand": brand.name})
    return redirect("settings-brands")


@require_POST
@opens_to(Permission.MANAGE_WORKSPACE)
def remove_brand(request: HttpRequest, brand_id: int) -> HttpResponse:
    """Delete a brand that is not the default one."""
    brand = get_object_or_404(Brand, pk=brand_id)
    try:
        delete_brand(brand)
    except BrandIsDefault as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("The brand “%(brand)s” was deleted.") % {"brand": brand.name})
    return redirect("settings-brands")


def _brand_page(request: HttpRequest, brand: Brand) -> HttpResponse:
    form = BrandForm(request.POST or None, instance=brand)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The brand “%(brand)s” was saved.") % {"brand": brand.name})
        return redirect("settings-brands")
    return render(request, "settings/brand.html", {"form": form, "brand": brand}, status=422 if form.is_bound else 200)


urlpatterns = [
    path("settings/workspace", workspace_settings, name="settings-workspace"),
    path("settings/workspace/regions", regions, name="settings-regions"),
    path("settings/brands", brands, name="settings-brands"),
    path("settings/brands/new", new_brand, name="settings-brand-new"),
    path("settings/brands/<int:brand_id>", edit_brand, name="settings-brand"),
    path("settings/brands/<int:brand_id>/default", default_brand, name="settings-brand-default"),
    path("settings/brands/<int:brand_id>/delete", remove_brand, name="settings-brand-delete"),
]
