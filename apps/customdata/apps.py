from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomDataConfig(AppConfig):
    name = "apps.customdata"
    label = "customdata"
    verbose_name = _("Custom data")
