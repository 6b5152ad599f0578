"""Endpoints of reseller plans: on sale, what a change would do, and the plan of a reseller."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.organizations import OrganizationView, Out
from accounts.models import ResellerPlan
from accounts.models.plans import FEATURES
from accounts.selectors import organizations
from accounts.selectors import plans as selectors
from accounts.services import plans as service
from panel.core import policy
from panel.core.api.serializers import StrictSerializer
from panel.core.api.views import ApiView

LIMITS = (*ResellerPlan.TOTALS, "accounts_per_package", *(f"account_{name}" for name in ResellerPlan.MOST))
FLAGS = {
    "oversell_disk": "What is used counts against disk space, not what packages promise.",
    "oversell_bandwidth": "What is used counts against bandwidth, not what packages promise.",
    "private_nameservers": "Its resellers can have name servers of their own.",
    "resellers_allowed": "Its resellers can have resellers of their own.",
}


def _limits(**options: Any) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return {name: serializers.IntegerField(allow_null=True, **options) for name in LIMITS}


def _features(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.ChoiceField(choices=FEATURES),
        max_length=len(FEATURES),
        help_text="What can be sold.",
        **options,
    )


PlanSerializer: type[StrictSerializer] = type(
    "ResellerPlanSerializer",
    (StrictSerializer,),
    {
        "__doc__": "A reseller plan: null is unlimited, 0 none; sizes in bytes; `account_…` is of one account.",
        "id": serializers.CharField(read_only=True),
        "organization": serializers.CharField(source="organization_id", read_only=True, help_text="Who sells it."),
        "name": serializers.CharField(read_only=True),
        **_limits(read_only=True),
        **{name: serializers.BooleanField(read_only=True, help_text=text) for name, text in FLAGS.items()},
        "overuse": serializers.ChoiceField(choices=ResellerPlan.Overuse.choices, read_only=True),
        "features": _features(read_only=True),
        "reseller_count": serializers.IntegerField(read_only=True, help_text="Resellers that have it."),
        "created_at": serializers.DateTimeField(read_only=True),
    },
)

PlanChangeSerializer: type[StrictSerializer] = type(
    "ResellerPlanChangeSerializer",
    (StrictSerializer,),
    {
        "__doc__": "What is to change; what is left out stays.",
        "name": serializers.CharField(max_length=80, trim_whitespace=False, required=False),
        **_limits(min_value=0, max_value=2**62, required=False),
        **{name: serializers.BooleanField(required=False, help_text=text) for name, text in FLAGS.items()},
        "overuse": serializers.ChoiceField(choices=ResellerPlan.Overuse.choices, required=False),
        "features": _features(required=False),
    },
)

PlanCreateSerializer: type[StrictSerializer] = type(
    "ResellerPlanCreateSerializer",
    (PlanChangeSerializer,),
    {
        "__doc__": "A new plan; limits that are left out are unlimited, and it has all features unless some are named.",
        "name": serializers.CharField(max_length=80, trim_whitespace=False),
    },
)


class PlanOverSerializer(StrictSerializer):
    """A reseller that has more than it would be allowed; it would keep that and get no more."""

    organization = serializers.CharField(source="organization.pk", read_only=True)
    name = serializers.CharField(source="organization.name", read_only=True)
    resource = serializers.CharField(read_only=True)
    used = serializers.IntegerField(read_only=True)
    limit = serializers.IntegerField(read_only=True)


class PlanImpactSerializer(StrictSerializer):
    """What a change would do."""

    resellers = serializers.IntegerField(read_only=True, help_text="How many resellers it touches.")
    over = PlanOverSerializer(many=True, read_only=True)


class PlanChoiceSerializer(StrictSerializer):
    """The plan of a reseller; null for none."""

    plan = serializers.CharField(max_length=32, allow_null=True)


class Plans(ApiView):
    """Plans on sale."""

    actions = {"GET": "plan.view", "POST": "plan.create"}
    is_list = True

    @extend_schema(operation_id="reseller_plans_list", responses=PlanSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List plans on sale, yours and those of resellers below you, newest first."""
        return self.page(selectors.listed(), PlanSerializer)

    @extend_schema(operation_id="reseller_plans_create", request=PlanCreateSerializer, responses={201: PlanSerializer})
    def post(self, request: Request) -> Response:
        """Put a plan on sale."""
        own = organizations.of_actor(self.actor)
        made = service.create(actor=self.actor, organization=own, **self.read(PlanCreateSerializer))
        body = PlanSerializer(selectors.listed().get(pk=made.pk)).data
        return self.created(body, reverse("accounts_api:plan", args=[made.pk]))


class OnePlan(ApiView):
    """One plan."""

    actions = {"GET": "plan.view", "PATCH": "plan.change", "DELETE": "plan.remove"}

    @extend_schema(operation_id="reseller_plans_get", responses=PlanSerializer)
    def get(self, request: Request, pk: str) -> Response:
        """Show it."""
        return Response(PlanSerializer(self.find(selectors.listed(), pk)).data)

    @extend_schema(operation_id="reseller_plans_change", request=PlanChangeSerializer, responses=PlanSerializer)
    def patch(self, request: Request, pk: str) -> Response:
        """Change it: its resellers get the new limits at once; what they have stays."""
        plan = self.find(selectors.listed(), pk)
        service.change(actor=self.actor, plan=plan, **self.read(PlanChangeSerializer, partial=True))
        return Response(PlanSerializer(selectors.listed().get(pk=pk)).data)

    @extend_schema(operation_id="reseller_plans_remove", responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Take it off the shelf. Resellers who have it keep it."""
        service.archive(actor=self.actor, plan=self.find(selectors.listed(), pk))
        return Response(status=204)


class PlanImpact(ApiView):
    """What a change of a plan would do."""

    actions = {"POST": "plan.change"}

    @extend_schema(operation_id="reseller_plans_impact", request=PlanChangeSerializer, responses=PlanImpactSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Say which resellers would be over. Nothing is changed."""
        plan = self.find(selectors.listed(), pk)
        policy.require(self.actor, "plan.change", plan)
        for field, value in self.read(PlanChangeSerializer, partial=True).items():
            setattr(plan, field, value)
        resellers = selectors.resellers_on(plan)
        found = {"resellers": len(resellers), "over": selectors.overs(resellers, plan.counted)}
        return Response(PlanImpactSerializer(found).data)


class PlanOfReseller(OrganizationView):
    """The plan of a reseller."""

    actions = {"POST": "organization.assign_plan"}

    @extend_schema(operation_id="organizations_plan", request=PlanChoiceSerializer, responses=Out)
    def post(self, request: Request, pk: str) -> Response:
        """Give a reseller a plan, or take it away with null."""
        organization = self.organization(pk)
        policy.require(self.actor, "organization.assign_plan", organization)
        wanted = self.read(PlanChoiceSerializer)["plan"]
        plan = self.find(selectors.listed(), wanted) if wanted is not None else None
        made = service.assign(actor=self.actor, organization=organization, plan=plan)
        return Response(self.shown(made))
