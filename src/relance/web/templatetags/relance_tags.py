"""What templates of ours may say: icons, figures and dates in the reader's language, small charts, parts with an inside."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.contrib.messages import ERROR
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from relance.web import charts, formats
from relance.web.files import SCRIPTS, STYLESHEETS, address_of
from relance.web.icons import SPRITE, icon_names
from relance.web.labels import field_label, policy_label
from relance.web.navigation import Entry, navigation_for
from relance.web.words import FACT_NAMES, PERMISSION_NAMES, ROLE_NAMES
from relance.workspace.rules import Permission, Role

register = template.Library()

AVATAR_COLOURS = ("", "b", "c", "d", "e")


# Icons and faces


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: the word beside it, or an aria-label, speaks. Sizes: sm, lg."""
    if name not in icon_names():
        raise template.TemplateSyntaxError(
            f"No icon is named {name!r}: add it to scripts/icons.txt and run scripts/vendor.py."
        )
    return format_html('<svg class="i {}" aria-hidden="true"><use href="{}#{}"/></svg>', size, address_of(SPRITE), name)


@register.simple_tag
def avatar(name: object, size: str = "") -> SafeString:
    """Initials in a circle whose colour follows the name. Sizes: sm, lg. The name itself is written beside it."""
    said = str(name)
    colour = AVATAR_COLOURS[zlib.crc32(said.encode()) % len(AVATAR_COLOURS)]
    return format_html('<span class="avatar {} {}" aria-hidden="true">{}</span>', size, colour, formats.initials(said))


@register.filter
def initials(name: object) -> str:
    return formats.initials(str(name))


# Figures, dates, typography


@register.filter
def number(value: int | float | Decimal | None, digits: int | None = None) -> str:
    """1,536 or 1 536. Nothing for None: say unknown in words."""
    return "" if value is None else formats.number(value, digits)


@register.filter
def percent(share: float | None, digits: int = 1) -> str:
    """0.038 is 3.8% or 3,8 %."""
    return "" if share is None else formats.percent(share, digits)


@register.filter
def day(value: date | None) -> str:
    """17 November 2026."""
    return "" if value is None else formats.day(value)


@register.filter
def weekday(value: date | None) -> str:
    """Tuesday 17 November 2026."""
    return "" if value is None else formats.weekday(value)


@register.filter
def short_day(value: date | None) -> str:
    """17 Nov."""
    return "" if value is None else formats.short_day(value)


@register.filter
def clock(value: datetime | None) -> str:
    """08:42, in the reader's time zone."""
    return "" if value is None else formats.clock(value)


@register.filter
def moment(value: datetime | None) -> str:
    """17 November 2026, 08:42."""
    return "" if value is None else formats.moment(value)


@register.filter
def duration(length: timedelta | float | None) -> str:
    """41 sec, 2 min; a number is seconds."""
    return "" if length is None else formats.duration(length)


@register.simple_tag
def ago(value: datetime | None) -> SafeString:
    """How long ago below 24 hours, the date beyond; the exact time and zone on hover and for screen readers."""
    if value is None:
        return mark_safe("")
    said, exact = formats.since(value, timezone.now()), formats.exact_moment(value)
    return format_html(
        '<time datetime="{}" title="{}">{}<span class="sr"> ({})</span></time>', value.isoformat(), exact, said, exact
    )


@register.simple_tag
def at_clock(value: datetime) -> SafeString:
    """The hour in the reader's zone, the exact moment on hover."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), formats.exact_moment(value), formats.clock(value)
    )


@register.filter
def typo(text: object) -> str:
    """French spaces that never break; other languages are left alone. Safe text stays safe."""
    said = formats.typography(str(text))
    return mark_safe(said) if isinstance(text, SafeString) else said  # noqa: S308


# Charts


@register.simple_tag
def sparkline(values: Sequence[float], tone: str = "d1") -> SafeString:
    return charts.sparkline(values, tone)


@register.simple_tag
def mini_bars(values: Sequence[float], tone: str = "bad") -> SafeString:
    return charts.mini_bars(values, tone)


@register.simple_tag
def bars(rows: Sequence[tuple[str, float, str]], tone: str = "d1") -> SafeString:
    """Names, bars, figures: a row is (name, value, tone or "")."""
    return charts.horizontal_bars(rows, tone=tone)


@register.simple_tag
def bar(*shares: Any, size: str = "") -> SafeString:
    """{% bar 63 %}, or several shares with their tones: {% bar 62 "ok" 3 "warn" size="lg" %}."""
    pairs = [(share, tone) for share, tone in zip(shares[::2], (*shares[1::2], "accent"), strict=False)]
    return charts.bar(*((float(share or 0), str(tone)) for share, tone in pairs), size=size)


@register.simple_tag
def ring(share: float) -> SafeString:
    """A percentage, from 0 to 100, as a ring."""
    return charts.ring(share, formats.percent(share / 100, 0))


@register.simple_tag
def ticks(states: Sequence[str], size: str = "") -> SafeString:
    return charts.ticks(states, size=size)


# Parts with an inside


SHARED_WITH_PARTS = ("request", "user", "csrf_token", "messages")


class PartNode(Node):
    """Renders parts/_NAME.html with the block's content as `inside`, and nothing else of the page's variables."""

    def __init__(self, name: FilterExpression, values: dict[str, FilterExpression], inside: NodeList) -> None:
        self.name, self.values, self.nodelist = name, values, inside

    def render(self, context: Context) -> SafeString:
        values = {key: value.resolve(context) for key, value in self.values.items()}
        part = context.template.engine.get_template(f"parts/_{self.name.resolve(context)}.html")  # type: ignore[union-attr]
        inside = mark_safe(self.nodelist.render(context).strip())  # noqa: S308 (rendered by the engine, escaped there)
        shared = {name: context.get(name) for name in SHARED_WITH_PARTS}
        return part.render(context.new({**shared, **values, "inside": inside}))


@register.tag("part")
def part(parser: Parser, token: Token) -> PartNode:
    """{% part "card" title=… %}…{% endpart %}: a part whose inside the page writes."""
    words = token.split_contents()[1:]
    if not words:
        raise template.TemplateSyntaxError('Name the part: {% part "card" %}.')
    name = parser.compile_filter(words.pop(0))
    values = token_kwargs(words, parser)
    if words:
        raise template.TemplateSyntaxError(f"A part takes name=value pairs, not {' '.join(words)!r}.")
    inside = parser.parse(("endpart",))
    parser.delete_first_token()
    return PartNode(name, values, inside)


# Links that keep the page's state


@register.inclusion_tag("why/_link.html", takes_context=True)
def why_link(
    context: Context, decision: str, label: str = "", small: bool = True, plain: bool = False, about: str = ""
) -> dict[str, Any]:
    """“Why?” for one decision (d-…): opens its panel in `#why` and puts `?why=` in the address; works without script.

    `plain` is a link in a line of text. `about` is the field the question is about: its check then comes first.
    """
    request = context["request"]
    query = request.GET.copy()
    query["why"] = decision
    query.pop("about", None)
    if about:
        query["about"] = about
    return {
        "about": about,
        "decision": decision,
        "label": label,
        "small": small,
        "plain": plain,
        "address": f"?{query.urlencode()}",
        "is_open": request.GET.get("why") == decision and request.GET.get("about", "") == about,
    }


@register.simple_tag(takes_context=True)
def address_without(context: Context, *names: str) -> str:
    """This page's address with some parameters taken away."""
    request = context["request"]
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return f"?{query.urlencode()}" if query else request.path


# Words


@register.filter
def fact_name(name: str) -> str:
    """The name of something seen by a rule, as people say it."""
    return str(FACT_NAMES.get(name, name.replace("_", " ").capitalize()))


@register.filter
def field_name(key: object) -> str:
    """What a field is called, by its key in the catalogue."""
    return field_label(str(key))


@register.filter
def policy_name(policy: object) -> str:
    """The rules in force when something was decided, as people say them."""
    return policy_label(str(policy or ""))


@register.filter
def fact_value(value: object) -> str:
    """What a rule saw: empty said as such, dates and figures in the reader's way."""
    if value is None or value == "":
        return gettext("empty")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return formats.moment(value)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return formats.number(value) if isinstance(value, int | float | Decimal) else str(value)


@register.simple_tag
def role_name(role: str) -> str:
    """A role in the reader's language."""
    return str(ROLE_NAMES[Role(role)]) if role in set(Role) else role


@register.filter
def permission_name(permission: str) -> str:
    """What a door asked for, in words."""
    return str(PERMISSION_NAMES[Permission(permission)]) if permission in set(Permission) else ""


@register.filter
def first_decisive(decision: Any) -> Any:
    """The reason that made the verdict, the first of them when several did."""
    return next((reason for reason in decision.explained if reason.decisive), None)


@register.filter
def tone_of(message: Any) -> str:
    """The colour of one of Django's messages: warnings warn, errors are bad."""
    return "bad" if message.level >= ERROR else "warn"


@register.filter
def undo_address(tags: str) -> str:
    """The address in extra_tags="undo:/people/undo/12"."""
    return next((tag.removeprefix("undo:") for tag in (tags or "").split() if tag.startswith("undo:")), "")


# Forms


@register.inclusion_tag("parts/_field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form field: label, hint, error, then the control, tied together for screen readers."""
    return describe_field(bound, hint)


@register.simple_tag
def control(bound: Any, described_by: str = "") -> SafeString:
    """The control alone, with its class and what describes it."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    own = widget.attrs.get("class", "")
    style = {"select": "select", "checkbox": "", "radio": "", "file": "input", "hidden": ""}.get(kind, "input")
    attributes = {"class": f"{style} {own}".strip()} if style or own else {}
    if described_by:
        attributes["aria-describedby"] = described_by
    if bound.errors:
        attributes["aria-invalid"] = "true"
    widget_as_html: SafeString = bound.as_widget(attrs=attributes)
    return widget_as_html


def describe_field(bound: Any, hint: str = "") -> dict[str, Any]:
    """What parts/_field.html needs to know of a bound field."""
    hint = hint or str(bound.help_text)
    told_by = [f"{bound.auto_id}-hint"] if hint else []
    told_by += [f"{bound.auto_id}-error"] if bound.errors else []
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "")
    many = kind in ("radio", "checkbox") and hasattr(widget, "optgroups")
    return {"bound": bound, "hint": hint, "told_by": " ".join(told_by), "kind": "choices" if many else kind}


# The frame


@register.simple_tag
def stylesheets(*more: str) -> SafeString:
    """Every stylesheet in the order of its layer, each a file of its own with a hashed name."""
    return format_html_join(
        "\n", '<link rel="stylesheet" href="{}">', ((address_of(name),) for name in (*STYLESHEETS, *more))
    )


@register.simple_tag
def behaviours(*more: str) -> SafeString:
    """Every script, deferred: what the browser lacks, over pages that work without."""
    return format_html_join(
        "\n", '<script src="{}" defer></script>', ((address_of(name),) for name in (*SCRIPTS, *more))
    )


@register.simple_tag(takes_context=True)
def navigation(context: Context) -> dict[str, list[Any]]:
    """The sections of the side bar that this user may open, the current one marked."""
    return navigation_for(context["request"])


@register.simple_tag
def current(entry: Entry) -> SafeString:
    return mark_safe(' aria-current="page"') if entry.is_current else mark_safe("")
