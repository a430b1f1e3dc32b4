"""`{% load showing %}`: the admin's way of showing values, in templates."""

import html
from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString

from apps.events import showing

register = template.Library()


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    return showing.moment(value)


@register.simple_tag
def badge(text: str, tone: showing.Tone = "plain") -> SafeString:
    return showing.badge(text, tone)


@register.simple_tag
def copyable(text: str) -> SafeString:
    return showing.copyable(text)


@register.simple_tag
def json_block(data: Any) -> SafeString:
    return showing.json_block(data)


@register.filter
def span(milliseconds: float | None) -> str:
    return showing.span(milliseconds)


@register.simple_block_tag
def copying(content: str) -> SafeString:
    """The text between the tags as a value to take along, markup included."""
    return showing.copyable(html.unescape("".join(content)).strip())
