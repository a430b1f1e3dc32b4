from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("Staff and access")

    def ready(self) -> None:
        # Inline: these need models, which exist only now.
        from axes.models import AccessAttempt

        from apps.accounts import access, sign_in
        from apps.core import rights

        rights.install(access.scoped)
        sign_in.watch()
        AccessAttempt.access_module = "accounts"  # whoever keeps the accounts may unlock a sign-in
        AccessAttempt._meta.verbose_name, AccessAttempt._meta.verbose_name_plural = _("wrong sign-in"), _("wrong sign-ins")
        AccessAttempt._meta.app_config.verbose_name = self.verbose_name
