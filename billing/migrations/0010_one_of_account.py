"""A hosting account has at most one subscription that has not ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_dunning_pauses"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ended"), _negated=True),
                fields=("hosting",),
                name="subscription_of_account",
            ),
        ),
    ]
