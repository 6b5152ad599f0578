"""Let the database refuse changes of issued papers and of the books."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from billing import immutability


def install(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the triggers."""
    immutability.install(schema_editor.connection)


def remove(apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers."""
    immutability.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """After it, issued invoices, documents, charges, allocations and entries of the books stay as they are."""

    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
