"""Public holidays by country and region, from the `holidays` package."""

import datetime as dt
from functools import lru_cache

import holidays
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def check_region(country: str, subdivision: str) -> None:
    """Raises ValidationError when the package does not know the country or its region."""
    known = holidays.list_supported_countries()
    if country and country not in known:
        raise ValidationError({"country": _("Unknown country. Use a two-letter code such as UZ.")}, code="country")
    if subdivision and (not country or subdivision not in known[country]):
        names = ", ".join(known.get(country, [])) or _("none")
        raise ValidationError(
            {"subdivision": _("Unknown region. Known for this country: %(names)s.") % {"names": names}}, code="subdivision"
        )


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[dt.date]:
    """The dates on which the country (or its region) rests in `year`; none when no country is set."""
    if not country:
        return frozenset()
    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
