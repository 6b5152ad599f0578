"""Since when a message to a program is tried."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_price_feeds"),
    ]

    operations = [
        migrations.AddField(
            model_name="hookdelivery",
            name="since",
            field=models.DateTimeField(default=timezone.now),
            preserve_default=False,
        ),
    ]
