"""What the templates of the settings say."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from relance.web.settings_map import sections_for

register = template.Library()


@register.simple_tag(takes_context=True)
def settings_sections(context: Context) -> list[dict[str, Any]]:
    """The sections of the settings this user may open, the current one marked."""
    return sections_for(context["request"])
