from django.apps import AppConfig
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ScenariosConfig(AppConfig):
    name = "apps.scenarios"
    label = "scenarios"
    verbose_name = _("Scenarios")

    def ready(self) -> None:
        # The pure engine knows no Django; its messages are translated through what it is given here.
        from apps.scenarios.engine import wording

        wording.translate_with(gettext)
