"""Visitors of the web chat: who holds which token, and the files that they have sent up but not yet said."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from apps.bots.models import Channel
from apps.conversations.models import Attachment
from apps.core.fields import EncryptedJSONField


class WidgetVisitor(models.Model):
    """One browser that talks to a web chat. The token is random, stored as a digest, and lives 30 days after it was last used.

    A visitor who only looks leaves no lead and no person: those appear when the first message is handled. `user_id` is set when the page's
    server has signed it; then every browser of that user shares one `chat_id`. `claims` are what the page says without proof.
    """

    access_module = "people"
    bot_lookup = "channel__bot_id"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", verbose_name=_("channel"))
    chat_id = models.CharField(_("chat id"), max_length=200, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    user_id = models.CharField(_("user id"), max_length=200, blank=True, help_text=_("Proved by the page's server; empty = anonymous."))
    claims = EncryptedJSONField(
        _("claims"), default=dict, blank=True, help_text=_("Name, phone, e-mail as the page told them; not verified.")
    )
    language = models.CharField(_("language"), max_length=10, blank=True)
    page = models.CharField(_("page"), max_length=500, blank=True, help_text=_("Where the chat was opened last."))
    created_at = models.DateTimeField(_("created"), db_default=Now())
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())
    expires_at = models.DateTimeField(_("expires"))

    class Meta:
        verbose_name = _("visitor of a web chat")
        verbose_name_plural = _("visitors of web chats")
        ordering = ["-id"]
        indexes = [models.Index(fields=["expires_at"], name="widget_visitor_age")]

    def __str__(self) -> str:
        return self.chat_id


class WidgetUpload(models.Model):
    """A file that a visitor has sent up; a message of the same visitor may name it once. Unused ones are removed after a day."""

    visitor = models.ForeignKey(WidgetVisitor, on_delete=models.CASCADE, related_name="uploads")
    attachment = models.OneToOneField(Attachment, on_delete=models.CASCADE, related_name="+")
    used_by = models.CharField(max_length=100, blank=True, help_text="The client_message_id that named it.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="widget_upload_unused", condition=models.Q(used_by=""))]

    def __str__(self) -> str:
        return f"{self.visitor_id} {self.attachment_id}"
