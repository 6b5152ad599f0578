"""Whether a draft gets the usual days to pay when it is issued."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from billing import immutability


def lay_aside(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers on SQLite, which makes the table anew; they are put back after the last migration."""
    if schema_editor.connection.vendor == "sqlite":
        immutability.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0013_rated"),
    ]

    operations = [
        migrations.RunPython(lay_aside, migrations.RunPython.noop),
        migrations.AddField(
            model_name="invoice",
            name="due_as_usual",
            field=models.BooleanField(default=False),
        ),
    ]
