from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
    verbose_name = _("Settings")

    def ready(self) -> None:
        # Inline: both need the app registry to be filled.
        from apps.core import celery_trace, checks

        checks.register_all()
        celery_trace.install()
