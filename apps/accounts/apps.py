from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("Staff and access")

    def ready(self) -> None:
        # Inline: models are needed, which exist only now.
        from apps.accounts import access
        from apps.core import rights

        rights.install(access.scoped)
