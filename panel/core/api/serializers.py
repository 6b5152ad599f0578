"""Base of request and answer formats."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not take, instead of ignoring them: nobody believes a quota was set that was not."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; raises ValidationError naming every unknown or read-only field."""
        if isinstance(data, dict):
            taken = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {
                str(name): [ErrorDetail("This field is not taken here.", code="unknown_field")]
                for name in data
                if name not in taken
            }
            if unknown:
                raise ValidationError(unknown)
        return super().to_internal_value(data)


class OperationAcceptedSerializer(StrictSerializer):
    """The answer 202: what was asked for goes on, and can be watched at `url`."""

    operation = serializers.CharField(read_only=True)
    url = serializers.CharField(read_only=True)
