"""How long ahead buyers are told of the end of a trial and of a new price, and who was told of the former."""

from django.core.validators import MaxValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0014_due_as_usual"),
    ]

    operations = [
        migrations.AddField(
            model_name="seller",
            name="trial_notice_days",
            field=models.PositiveSmallIntegerField(
                default=3, validators=[MaxValueValidator(30)], verbose_name="days before the end of a trial"
            ),
        ),
        migrations.AddField(
            model_name="seller",
            name="price_notice_days",
            field=models.PositiveSmallIntegerField(
                default=30, validators=[MaxValueValidator(366)], verbose_name="days before a new price"
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="trial_told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
