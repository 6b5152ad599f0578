"""Steps of dunning that were passed over, and the old secret of a hook while both sign."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0005_tax"),
    ]

    operations = [
        migrations.AddField(
            model_name="dunningstep",
            name="passed_over",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="hook",
            name="old_secret",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="hook",
            name="old_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
