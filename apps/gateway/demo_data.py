"""What the demo needs: a shop's bot with its scenarios, a web chat, the customer Anna, and a key for the demo CRM.

Loading it again keeps everything that people have changed since; only addresses and the administrator's password follow what is given.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.bots import connecting
from apps.bots.models import Bot, Channel
from apps.core import settings_store
from apps.core.models import AllowedAddress, InstanceSetting
from apps.gateway import tokens
from apps.gateway.models import ApiToken
from apps.identity import linking, proofs, resolving
from apps.identity.models import Lead
from apps.scenarios import botfile, fixtures_io

FILES = ("ecommerce", "registration")
CUSTOMER_ID, CUSTOMER_NAME = "125", "Anna"
CHANNEL_SETTING = "demo_channel"  # read by the demo page
TOKEN_NAME = "Demo CRM"  # noqa: S105  the name that people see
ALLOWED_NOTE = "The demo CRM on this machine."
COLOR = "#2563eb"


@dataclass(frozen=True)
class Demo:
    """What scripts need to use the demo. `token` may call the bot's endpoints."""

    bot_id: int
    channel_id: int
    token: str
    user_id: int


def load(*, crm_url: str, admin: tuple[str, str], token_file: Path | None = None, anew: bool = False) -> Demo:
    """Make what is missing. `admin`: user name and password. `anew`: bring the scenarios back to the files' state."""
    with transaction.atomic():
        user = administrator(*admin)
        setting("crm_url", crm_url, _("Address of the CRM; the demo's own CRM."))
        setting("crm_token", secrets.token_urlsafe(24), _("Key that the CRM expects; the demo's CRM does not ask for it."), secret=True)
        allow(crm_url)
        channel = demo_channel()
        if channel is None or anew:
            channel = import_files(channel, user)
        customer(channel)
    connecting.connect(channel)
    settings_store.forget()
    return Demo(bot_id=channel.bot_id, channel_id=channel.pk, token=key(channel.bot, user, token_file), user_id=int(CUSTOMER_ID))


def administrator(name: str, password: str) -> User:
    """The account to sign in with; the password printed at the start is always the one that works."""
    user = User.objects.filter(username=name).first() or User(username=name)
    if user.pk and user.is_superuser and user.is_active and user.check_password(password):
        return user
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    return user


def setting(key: str, value: str, description: str, *, secret: bool = False) -> None:
    """A secret that exists is kept; a plain address follows the demo's present one."""
    row = InstanceSetting.objects.filter(key=key).first() or InstanceSetting(key=key, is_secret=secret, description=description)
    if row.pk and row.value and (row.is_secret or row.value == value):
        return
    row.value = value
    row.save()


def allow(crm_url: str) -> None:
    """The outgoing client refuses addresses of this machine unless the owner allows them; the demo's owner does, for this one."""
    parts = urlsplit(crm_url)
    if not parts.hostname:
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    AllowedAddress.objects.filter(note=ALLOWED_NOTE).exclude(target=parts.hostname, port=port).delete()
    AllowedAddress.objects.get_or_create(target=parts.hostname, port=port, defaults={"note": ALLOWED_NOTE})


def demo_channel() -> Channel | None:
    """The web chat of an earlier load, if it still exists."""
    row = InstanceSetting.objects.filter(key=CHANNEL_SETTING).first()
    return Channel.objects.select_related("bot").filter(pk=row.value, kind="widget").first() if row and row.value.isdecimal() else None


def import_files(channel: Channel | None, user: User) -> Channel:
    """Bot, scenarios and endpoints from `fixtures/`, published, and the web chat if there is none yet."""
    bot: Bot | None = channel.bot if channel else None
    for name in FILES:
        file = botfile.read(Path(settings.BASE_DIR) / "fixtures" / name / "bot.json")
        bot = fixtures_io.import_bot(file, bot=bot, user=user, note=_("Loaded with the demo")).bot
    if channel is not None:
        return channel
    assert bot is not None  # noqa: S101  each import returns its bot
    config = {"title": bot.name, "greeting": _("Hello! Ask us about your order."), "color": COLOR, "allowed_hosts": []}
    made = Channel.objects.create(
        bot=bot,
        kind="widget",
        name=_("Demo web chat"),
        config=config,
        secrets={"identity_secret": secrets.token_urlsafe(32)},
    )
    setting(CHANNEL_SETTING, str(made.pk), _("Id of the web chat that the demo page shows."))
    return made


def customer(channel: Channel) -> Lead:
    """Anna's chat, linked to her id in the CRM, so that an event finds her before anybody has opened the demo page."""
    system = channel.bot.source_system
    known = Lead.objects.filter(
        channel=channel,
        connected_at__isnull=False,
        person__external_ids__system=system,
        person__external_ids__value=CUSTOMER_ID,
    ).first()
    if known:
        return known
    lead = resolving.leads_of({0: (channel, f"w_{secrets.token_hex(8)}")}, profiles={0: {"name": CUSTOMER_NAME}})[0]
    # The demo's owner vouches for both sides: it is our CRM, our chat and our customer.
    proof = proofs.by_system(lead, system=system, external_id=CUSTOMER_ID, named=True, confirmed=True)
    linking.link(lead, system=system, external_id=CUSTOMER_ID, proof=proof)
    return lead


def key(bot: Bot, user: User, token_file: Path | None) -> str:
    """The CRM's key: the one in the file while it works, else a new one, which replaces those of earlier loads."""
    kept = token_file.read_text().strip() if token_file and token_file.exists() else ""
    caller = tokens.recognise(kept, at=timezone.now()) if kept else None
    if caller and caller.may_use(bot.pk):
        return kept
    for row in ApiToken.objects.filter(name=TOKEN_NAME, is_active=True):
        row.is_active = False
        row.save()
    _row, clear = tokens.issue(name=TOKEN_NAME, source_system=bot.source_system, bots=[bot], created_by=user)
    if token_file:
        with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(clear)
    return clear
