"""Every message writes these tables: no index that another one's beginning replaces, none for what is never looked up that way."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from apps.core.migrating import without_own_index, without_pattern_index

CASCADE, PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("bots", "0001_initial"),
        ("conversations", "0007_waiting_for_a_slot"),
        ("identity", "0004_find_people"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(condition=models.Q(("operator__isnull", False)), fields=["operator"], name="conversation_operator"),
        ),
        without_own_index(
            "conversations",
            "conversation",
            "operator",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="operator",
            ),
        ),
        without_own_index(
            "conversations",
            "conversation",
            "lane",
            models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="+", to="conversations.lane"),
        ),
        without_own_index(
            "conversations",
            "message",
            "channel",
            models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="+", to="bots.channel", verbose_name="channel"),
        ),
        without_own_index(
            "conversations",
            "message",
            "conversation",
            models.ForeignKey(
                db_index=False, on_delete=PROTECT, related_name="messages", to="conversations.conversation", verbose_name="conversation"
            ),
        ),
        without_own_index(
            "conversations", "outbox", "channel", models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="+", to="bots.channel")
        ),
        without_own_index(
            "conversations", "outbox", "lane", models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="+", to="conversations.lane")
        ),
        without_own_index(
            "conversations",
            "update",
            "bot",
            models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="+", to="bots.bot", verbose_name="bot"),
        ),
        without_own_index(
            "conversations",
            "update",
            "channel",
            models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="+", to="bots.channel", verbose_name="channel"),
        ),
        without_pattern_index("conversations", "lane", "key"),
    ]
