"""Where the views for BI lie."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("imports", "0003_likeness")]

    operations = [migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS bi", migrations.RunSQL.noop)]
