"""Unfold's classes, which are Django's with another look, under the types of Django's: the package itself is published without types."""

from typing import TYPE_CHECKING, Any

from django.core import paginator

if TYPE_CHECKING:
    from django.contrib.admin import FieldListFilter, SimpleListFilter
    from django.contrib.admin.views.main import ChangeList as _ChangeList

    class DropdownFilter(SimpleListFilter):
        """A list to choose one value from."""

    class TextFilter(SimpleListFilter):
        """A text box."""

    class RangeDateTimeFilter(FieldListFilter):
        """Two times, from and to."""

    class ChangeList(_ChangeList):
        """A list of the admin."""

    Paginator = paginator.Paginator[Any]
else:
    from unfold.contrib.filters.admin import DropdownFilter, RangeDateTimeFilter, TextFilter
    from unfold.views import ChangeList

    Paginator = paginator.Paginator

__all__ = ["ChangeList", "DropdownFilter", "Paginator", "RangeDateTimeFilter", "TextFilter"]
