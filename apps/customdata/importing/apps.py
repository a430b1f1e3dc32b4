"""Imports are an app of their own within custom data: their rows, pages and tasks need nothing of the others'."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportingConfig(AppConfig):
    name = "apps.customdata.importing"
    label = "imports"
    verbose_name = _("Imports")
