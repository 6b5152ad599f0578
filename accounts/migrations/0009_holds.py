"""What the system holds back of an organization that owes, beside what people suspend."""

from django.db import migrations, models

import panel.core.fields
import panel.core.names


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_mail_template_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="orders_held_reason",
            field=panel.core.fields.NameField(blank=True, max_length=200, rule=panel.core.names.label),
        ),
        migrations.AddField(
            model_name="organization",
            name="suspended_alone",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="organization",
            name="suspended_for",
            field=models.CharField(blank=True, max_length=32),
        ),
    ]
