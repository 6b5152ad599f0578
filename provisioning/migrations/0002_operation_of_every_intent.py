import django.db.models.deletion
from django.db import migrations, models


def give_operations(apps, schema_editor):
    """Let every intent that belongs to none belong to an operation of its slice."""
    Intent = apps.get_model("provisioning", "Intent")
    Operation = apps.get_model("provisioning", "Operation")
    OperationTarget = apps.get_model("provisioning", "OperationTarget")
    alone = Intent.objects.filter(operation=None).select_related("slice__hosting", "slice__server").order_by("id")
    made = {}
    for intent in alone:
        part = intent.slice
        if part.id not in made:
            asked = part.hosting or part.server
            made[part.id] = Operation.objects.create(
                organization_id=asked.organization_id,
                verb="account.change" if part.hosting else "server.change",
                subject=part.hosting.domain if part.hosting else part.server.name,
                hosting=part.hosting,
                server=None if part.hosting else part.server,
                actor_label="system",
                actor_path="/",
            )
            OperationTarget.objects.create(operation=made[part.id], slice=part)
        intent.operation = made[part.id]
        intent.save(update_fields=["operation"])
    schema_editor.connection.check_constraints()  # PostgreSQL alters no table with checks outstanding.


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0001_initial")]

    operations = [
        migrations.RunPython(give_operations, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="intent",
            name="operation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, related_name="intents", to="provisioning.operation"
            ),
        ),
        migrations.AlterField(
            model_name="operationtarget",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Queued"),
                    ("waiting", "Waiting"),
                    ("applied", "Done"),
                    ("rejected", "Rejected"),
                    ("cancelled", "Cancelled"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
    ]
