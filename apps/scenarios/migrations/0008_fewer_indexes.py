"""Every message writes these tables: no index that another one's beginning replaces."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

from apps.core.migrating import without_own_index


class Migration(migrations.Migration):

    atomic = False
    dependencies = [
        ("conversations", "0008_fewer_indexes"),
        ("identity", "0005_fewer_indexes"),
        ("scenarios", "0007_command_languages"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="session",
            index=models.Index(fields=["conversation", "status"], name="session_by_status"),
        ),
        RemoveIndexConcurrently(model_name="session", name="session_open"),
        without_own_index(
            "scenarios",
            "session",
            "conversation",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="conversations.conversation",
                verbose_name="conversation",
            ),
        ),
        without_own_index(
            "scenarios",
            "sessionstep",
            "session",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="scenarios.session"
            ),
        ),
    ]
