"""How far the use of a component was charged, and how much a meter was told."""

from typing import Any

from django.db import migrations, models
from django.db.models import Count, Max, OuterRef, Subquery


def remember(apps: Any, schema_editor: Any) -> None:
    """Take what is known from what there is."""
    charge, event = apps.get_model("billing", "Charge"), apps.get_model("billing", "MeterEvent")
    use = charge.objects.filter(component=OuterRef("pk"), kind="usage").order_by("-due_on").values("due_on")[:1]
    apps.get_model("billing", "Component").objects.filter(product__kind="metered").update(rated_until=Subquery(use))
    for meter, count, last in event.objects.values_list("meter").annotate(Count("id"), Max("received_at")).order_by():
        apps.get_model("billing", "Meter").objects.filter(pk=meter).update(event_count=count, last_at=last)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_order_addons"),
    ]

    operations = [
        migrations.AddField("component", "rated_until", models.DateField(blank=True, null=True)),
        migrations.AddField("meter", "event_count", models.PositiveBigIntegerField(default=0, editable=False)),
        migrations.AddField("meter", "last_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
