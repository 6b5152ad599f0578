"""Promises to wait with what follows from an unpaid invoice."""

import django.db.models.deletion
from django.db import migrations, models

import panel.core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0008_hook_since"),
    ]

    operations = [
        migrations.CreateModel(
            name="DunningPause",
            fields=[
                ("id", panel.core.ids.IdField(prefix="dpa", serialize=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dunning_pauses",
                        to="billing.customer",
                    ),
                ),
                (
                    "invoice",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dunning_pause",
                        to="billing.invoice",
                    ),
                ),
                ("until", models.DateField(verbose_name="until")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ("-id",)},
        ),
        migrations.AddConstraint(
            model_name="dunningpause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("invoice__isnull", True)),
                fields=("customer",),
                name="dunning_pause_once_of_all",
            ),
        ),
    ]
