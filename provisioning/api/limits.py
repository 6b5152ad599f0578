"""Limits of accounts: use and limit line by line, why one more would be refused, exceptions, another package."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from panel.core.api.limits import LimitSerializer
from panel.core.api.serializers import StrictSerializer
from provisioning.api.accounts import Account, AccountPackage
from provisioning.api.base import Document, Endpoint, describe, started_of
from provisioning.api.fields import Number, Text
from provisioning.api.packages import PackageChange
from provisioning.models import Package
from provisioning.selectors import hosting_accounts, limits, packages
from provisioning.services import overrides
from provisioning.services import packages as service


class Override(StrictSerializer):
    """An exception from the package."""

    limit = Number(min_value=0, allow_null=True, help_text="null is unlimited, 0 none; sizes in bytes.")
    reason = Text(max_length=100, help_text="Why; it stands beside the limit and in the audit log.")


class OverAccount(Document):
    """An account that uses more than it would be allowed; it would keep that and get no more."""

    account = serializers.CharField(source="hosting.pk")
    domain = serializers.CharField(source="hosting.domain")
    resource = serializers.CharField()
    used = serializers.IntegerField()
    limit = serializers.IntegerField()


class OtherPhp(Document):
    """A site with a PHP version that the package would not allow; it would keep it."""

    site = serializers.CharField(source="pk")
    account = serializers.CharField(source="hosting_id")
    domain = serializers.CharField(source="domain.name")
    php_version = serializers.CharField()


class Impact(Document):
    """What a change would do."""

    accounts = serializers.IntegerField(source="touched", help_text="How many accounts it touches.")
    over = OverAccount(source="overs", many=True)
    other_php = OtherPhp(many=True)


class AccountLimits(Endpoint):
    """The limits of an account."""

    actions = {"GET": "account.view"}

    @describe("accounts_limits", "List an account's limits", LimitSerializer(many=True))
    def get(self, request: Request, pk: str) -> Response:
        """Use and limit of everything that its package limits, and why one more would be refused."""
        hosting = self.find(hosting_accounts.listed(), pk)
        return Response(LimitSerializer(limits.of_account(hosting), many=True).data)


class AccountLimit(Endpoint):
    """One limit of an account."""

    actions = {"PUT": "account.override", "DELETE": "account.override"}

    @describe("accounts_limit_set", "Make an exception from the package", LimitSerializer(many=True), body=Override)
    def put(self, request: Request, pk: str, resource: str) -> Response:
        """Only for who sells the package, and within the plans above."""
        hosting = self.find(hosting_accounts.listed(), pk)
        overrides.set(actor=self.actor, hosting=hosting, resource=resource, **self.read(Override))
        return Response(LimitSerializer(limits.of_account(hosting), many=True).data)

    @describe("accounts_limit_reset", "Take an exception back", status=204)
    def delete(self, request: Request, pk: str, resource: str) -> Response:
        """The package's own limit holds again."""
        overrides.remove(actor=self.actor, hosting=self.find(hosting_accounts.listed(), pk), resource=resource)
        return Response(status=204)


class AccountPackageView(Endpoint):
    """The package of an account."""

    actions = {"POST": "account.change"}

    @describe(
        "accounts_package",
        "Give an account another package",
        started_of(account=Account),
        status=202,
        body=AccountPackage,
    )
    def post(self, request: Request, pk: str) -> Response:
        """Limits and features change at once; what it has already stays. Exceptions stay."""
        hosting = self.find(hosting_accounts.listed(), pk)
        hosting, operation = service.move(actor=self.actor, hosting=hosting, **self.read(AccountPackage))
        return self.started(operation, account=Account(hosting))


class AccountPackageImpact(Endpoint):
    """What another package would do to an account."""

    actions = {"POST": "account.change"}

    @describe("accounts_package_impact", "See what another package would do", Impact, body=AccountPackage)
    def post(self, request: Request, pk: str) -> Response:
        """Nothing is changed."""
        hosting = self.find(hosting_accounts.listed(), pk)
        package: Package = self.read(AccountPackage)["package"]
        return Response(Impact(packages.impact([hosting], package.limits, package.php_versions)).data)


class PackageImpact(Endpoint):
    """What a change of a package would do."""

    actions = {"POST": "package.change"}

    @describe("packages_impact", "See what a change of a package would do", Impact, body=PackageChange)
    def post(self, request: Request, pk: str) -> Response:
        """Which accounts it touches, and which would be over. Nothing is changed."""
        package = self.find(packages.listed(), pk)
        return Response(Impact(service.impact(actor=self.actor, package=package, **self.read(PackageChange))).data)
