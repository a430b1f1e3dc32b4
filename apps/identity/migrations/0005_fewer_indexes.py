"""Every message writes these tables: no index that another one's beginning replaces, none for what is looked up whole only; room in a page
for the lead's next state, so that its indexes need not hear of it."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migrating import without_own_index, without_pattern_index

PROTECT = django.db.models.deletion.PROTECT


class Migration(migrations.Migration):

    dependencies = [
        ("bots", "0001_initial"),
        ("identity", "0004_find_people"),
    ]

    operations = [
        without_own_index(
            "identity",
            "lead",
            "channel",
            models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="leads", to="bots.channel", verbose_name="channel"),
        ),
        without_own_index(
            "identity",
            "person",
            "bot",
            models.ForeignKey(db_index=False, on_delete=PROTECT, related_name="people", to="bots.bot", verbose_name="bot"),
        ),
        without_pattern_index("identity", "lead", "code"),
        without_pattern_index("identity", "person", "phone_index"),
        without_pattern_index("identity", "person", "email_index"),
        migrations.RunSQL("ALTER TABLE identity_lead SET (fillfactor = 80)", "ALTER TABLE identity_lead RESET (fillfactor)"),
    ]
