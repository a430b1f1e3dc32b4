from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomDataConfig(AppConfig):
    name = "apps.customdata"
    label = "customdata"
    verbose_name = _("Custom data")

    def ready(self) -> None:
        # Inline: these need the models.
        from apps.core import rotating
        from apps.customdata import keeping, people
        from apps.identity import merging

        merging.followers.append(people.Links())
        rotating.further.append(keeping.encrypted_models)
