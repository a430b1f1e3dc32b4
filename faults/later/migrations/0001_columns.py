"""A new column in three tables, while the release before goes on writing without it."""

from django.db import migrations

TABLES = "conversations_message", "conversations_update", "conversations_call"


class Migration(migrations.Migration):
    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} ADD COLUMN later varchar(10) NULL", f"ALTER TABLE {table} DROP COLUMN later")
        for table in TABLES
    ]
