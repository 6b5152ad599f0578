from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("provisioning", "0003_drift")]

    operations = [
        migrations.AddField(
            model_name="preview",
            name="basis",
            field=models.CharField(
                blank=True, default="", help_text="Digest of what it was worked out from.", max_length=64
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="preview",
            name="origin",
            field=models.CharField(
                blank=True, default="", help_text="The page that it was asked for on.", max_length=500
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="preview",
            name="status",
            field=models.CharField(
                choices=[
                    ("pending", "Being worked out"),
                    ("ready", "Ready"),
                    ("refused", "Refused"),
                    ("failed", "Failed"),
                    ("outdated", "Outdated"),
                ],
                default="pending",
                max_length=8,
            ),
        ),
    ]
