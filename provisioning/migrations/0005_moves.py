import django.db.models.deletion
from django.db import migrations, models

import panel.core.fields
import panel.core.hostnames
import panel.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("provisioning", "0004_preview_basis"),
    ]

    operations = [
        migrations.CreateModel(
            name="Move",
            fields=[
                ("id", panel.core.ids.IdField(prefix="mov", serialize=False)),
                ("from_key", models.CharField(max_length=300)),
                ("to_key", models.CharField(max_length=300)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "slice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="moves", to="provisioning.slice"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["from_key"], name="move_from")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_key", models.F("to_key")), _negated=True), name="move_goes_somewhere"
                    )
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="hostingaccount",
            name="account_suspended_by_someone",
        ),
        migrations.AddConstraint(
            model_name="hostingaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "suspended"), ("suspended_by__isnull", False)),
                    models.Q(("status", "active"), ("suspended_by__isnull", True)),
                    ("status", "terminated"),
                    _connector="OR",
                ),
                name="account_suspended_by_someone",
            ),
        ),
        migrations.AddField(
            model_name="hostingaccount",
            name="terminated_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organization",
            ),
        ),
        migrations.AddField(
            model_name="maildomain",
            name="store",
            field=models.CharField(
                blank=True,
                help_text="The directory of its mailboxes, where that is not its name: it was renamed.",
                max_length=253,
                validators=[panel.core.fields.validate(panel.core.hostnames.hostname)],
            ),
        ),
    ]
