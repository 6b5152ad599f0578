"""One charge of a saved card at a time for an invoice; when a removed card was forgotten at the payment service."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0010_one_of_account"),
    ]

    operations = [
        migrations.AddField(
            model_name="paymentmethod",
            name="forgotten_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                condition=Q(status="pending", method__isnull=False),
                fields=("invoice",),
                name="payment_one_charge",
            ),
        ),
    ]
