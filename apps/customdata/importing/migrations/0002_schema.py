"""Where staging tables lie, and the functions that read texts as values there: NULL for what is none."""

from django.db import migrations

# "1 234,50" by the sign of decimals; spaces, no-break spaces and apostrophes do not count.
NUMBER = r"""
CREATE OR REPLACE FUNCTION imports.as_number(cell text, point text) RETURNS numeric LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text;
BEGIN
    IF length(cell) > 60 OR cell = '' THEN
        RETURN NULL;
    ELSIF cell ~ '^-?[0-9]+$' OR (point = '.' AND cell ~ '^-?[0-9]+\.[0-9]+$') THEN
        RETURN cell::numeric;
    END IF;
    plain := translate(cell, E' \t\u00a0\u202f''\u2019', '');
    IF point = ',' THEN
        IF plain ~ '^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?$' THEN
            RETURN replace(replace(plain, '.', ''), ',', '.')::numeric;
        END IF;
    ELSIF plain ~ '^[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?$' THEN
        RETURN replace(plain, ',', '')::numeric;
    END IF;
    IF plain ~ '^[+-]?[0-9]+[.,][0-9]+$' AND NOT plain ~ '^[+-]?[0-9]{1,3}[.,][0-9]{3}$' THEN
        RETURN replace(plain, ',', '.')::numeric;
    END IF;
    RETURN NULL;
END $$"""

# The day as YYYY-MM-DD, whatever way it is written; NULL for a day that there is not.
DAY = r"""
CREATE OR REPLACE FUNCTION imports.as_day(cell text, dates text) RETURNS date LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    part text[];
    y int; m int; d int;
BEGIN
    IF cell ~ '^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]$' THEN
        y := substr(cell, 1, 4)::int; m := substr(cell, 6, 2)::int; d := substr(cell, 9, 2)::int;
    ELSIF dates = 'dmy' AND cell ~ '^[0-9][0-9][./][0-9][0-9][./][0-9][0-9][0-9][0-9]$' THEN
        d := substr(cell, 1, 2)::int; m := substr(cell, 4, 2)::int; y := substr(cell, 7, 4)::int;
    ELSE
        part := regexp_match(cell, '^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$');
        IF part IS NOT NULL THEN
            y := part[1]::int; m := part[2]::int; d := part[3]::int;
        ELSE
            part := regexp_match(cell, '^([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4})$');
            IF part IS NULL THEN
                RETURN NULL;
            END IF;
            y := part[3]::int;
            IF dates = 'mdy' AND cell NOT LIKE '%.%' THEN
                m := part[1]::int; d := part[2]::int;
            ELSE
                d := part[1]::int; m := part[2]::int;
            END IF;
        END IF;
    END IF;
    IF y < 1 OR m < 1 OR m > 12 OR d < 1 OR d > 31 OR (d > 28 AND d > date_part('day', make_date(y, m, 1) + interval '1 month - 1 day')) THEN
        RETURN NULL;
    END IF;
    RETURN make_date(y, m, d);
END $$"""

# A day alone, or one with a midnight, as spreadsheets write it.
DATE = r"""
CREATE OR REPLACE FUNCTION imports.as_date(cell text, dates text) RETURNS date LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text := btrim(cell, E' \t\r\n\u00a0''');
BEGIN
    IF length(plain) > 10 THEN
        plain := regexp_replace(plain, '[T ]+0?0:00(:00(\.0+)?)?Z?$', '');
    END IF;
    RETURN imports.as_day(plain, dates);
END $$"""

# A day and a time; without a zone it is a time of `zone`. A day alone is its midnight.
MOMENT = r"""
CREATE OR REPLACE FUNCTION imports.as_moment(cell text, dates text, zone text) RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    plain text := btrim(cell, E' \t\r\n\u00a0''');
    part text[];
    day date;
    moment timestamp;
BEGIN
    IF plain ~ '^[0-9./-]{10}[T ][0-9][0-9]:[0-9][0-9](:[0-9][0-9])?$' THEN
        part := ARRAY[left(plain, 10), substr(plain, 12, 2), substr(plain, 15, 2), nullif(substr(plain, 18, 2), ''), NULL, NULL];
        IF part[2] > '23' OR part[3] > '59' OR part[4] > '59' THEN
            RETURN NULL;
        END IF;
    ELSE
        part := regexp_match(
            plain,
            '^([0-9./-]+)(?:[T, ]+([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:[.,]([0-9]{1,9}))?)? ?'
            || '(Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?$'
        );
    END IF;
    IF part IS NULL THEN
        RETURN NULL;
    END IF;
    day := imports.as_day(part[1], dates);
    IF day IS NULL THEN
        RETURN NULL;
    END IF;
    moment := day + make_time(coalesce(part[2], '0')::int, coalesce(part[3], '0')::int, coalesce(part[4], '0')::float8);
    IF part[5] IS NOT NULL THEN
        moment := moment + ('0.' || part[5] || ' seconds')::interval;
    END IF;
    IF part[6] IS NULL THEN
        RETURN moment AT TIME ZONE zone;
    END IF;
    RETURN (to_char(moment, 'YYYY-MM-DD HH24:MI:SS.US') || replace(part[6], 'Z', '+00'))::timestamptz;
END $$"""

# What a spreadsheet would run as a formula has an apostrophe in front when it comes from an export of ours.
TEXT = r"""
CREATE OR REPLACE FUNCTION imports.as_text(cell text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF left(cell, 1) = '''' AND cell ~ E'^'' *[-=+@\t\r\n＝＋－＠]' THEN
        RETURN substr(cell, 2);
    END IF;
    RETURN cell;
END $$"""


class Migration(migrations.Migration):
    dependencies = [("imports", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SCHEMA IF NOT EXISTS imports", migrations.RunSQL.noop),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in (NUMBER, DAY, DATE, MOMENT, TEXT)),
    ]
