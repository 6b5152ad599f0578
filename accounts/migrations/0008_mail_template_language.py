from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def in_the_brands_language(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was written so far is in the brand's language."""
    templates, brands = apps.get_model("accounts", "MailTemplate"), apps.get_model("accounts", "Brand")
    locale = brands._base_manager.filter(pk=OuterRef("brand")).values("locale")[:1]
    templates._base_manager.update(language=Subquery(locale))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_panel_hosts")]

    operations = [
        migrations.RemoveConstraint("MailTemplate", "mail_template_once"),
        migrations.AddField(
            "MailTemplate", "language", models.CharField(default="en", max_length=10), preserve_default=False
        ),
        migrations.RunPython(in_the_brands_language, migrations.RunPython.noop),
        migrations.AddConstraint(
            "MailTemplate", models.UniqueConstraint(fields=("brand", "kind", "language"), name="mail_template_once")
        ),
    ]
