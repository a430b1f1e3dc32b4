"""The trigger that conversions of fields watch with (apps.customdata.converting)."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION records.unmark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RETURN jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], false)); END $$
"""


class Migration(migrations.Migration):
    dependencies = [("customdata", "0002_storage")]

    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
