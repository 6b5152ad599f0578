"""Pages of one's own sign-in: second factors, sessions, browsers, mail address; and of an organization's policy."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.base.views import TrustView
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic.base import TemplateView

from accounts import browsers
from accounts.models import Organization
from accounts.selectors import organizations, users
from accounts.selectors import sign_in as selectors
from accounts.services import addresses, devices, mfa, sessions, sign_in_policies
from accounts.web import sign_in_forms as forms
from panel.core.errors import DomainError, NotFound
from panel.core.lists import ListsPage
from panel.core.web import ActionPage, FormPage, Page


def _home() -> list[tuple[str, str]]:
    return [(_("Sign-in and security"), reverse("accounts:sign_in"))]


class SignInPage(ListsPage):
    """Everything about one's own sign-in at a glance."""

    action = "profile.inspect"
    title = gettext_lazy("Sign-in and security")
    template_name = "accounts/sign_in.html"
    flags = ("profile.secure",)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Your profile"), reverse("accounts:profile"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = users.one(self.actor.user_id)
        found = selectors.authenticators(user.id)
        by_type = {row.type: row for row in found}
        codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
        current = self.request.session.session_key
        passkeys = [row for row in found if row.type == Authenticator.Type.WEBAUTHN]
        open_sessions = [_shown(row, row.session_key == current) for row in selectors.sessions(user.id)]
        known_devices = [_shown(row) for row in selectors.devices(user.id)]
        return super().get_context_data(
            person=user,
            app=by_type.get(Authenticator.Type.TOTP),
            passkeys=passkeys,
            has_second_factor=any(row.type in selectors.SECOND_FACTORS for row in found),
            codes_left=len(codes.wrap().get_unused_codes()) if codes else None,
            sessions=open_sessions,
            devices=known_devices,
            exports=self._exports(passkeys, open_sessions, known_devices),
            address_change=selectors.address_change(user.id),
            demands=selectors.demands_on(user),
            **kwargs,
        )

    def _exports(
        self, passkeys: list[Any], open_sessions: list[dict[str, Any]], known_devices: list[dict[str, Any]]
    ) -> dict[str, str]:
        seen = (_("Browser"), _("Address"), _("Last seen"))
        return {
            "passkeys": self.sheet(
                "passkeys",
                (_("Name"), _("Added"), _("Last used")),
                ((str(row), row.created_at, row.last_used_at) for row in passkeys),
            ),
            "sessions": self.sheet(
                "sessions",
                (*seen, _("Signed in")),
                ((*_seen(item), item["row"].started_at) for item in open_sessions),
            ),
            "devices": self.sheet(
                "devices",
                (*seen, _("Remembered until")),
                ((*_seen(item), item["row"].remembered_until) for item in known_devices),
            ),
        }


class SessionEndPage(ActionPage):
    """Ends one of one's own sessions."""

    action = "profile.secure"
    title = gettext_lazy("End the session")
    submit_label = gettext_lazy("End the session")

    def find(self) -> Any:
        found = selectors.sessions(str(self.actor.user_id)).filter(handle=self.kwargs["pk"]).first()
        if found is None:
            raise NotFound
        return found

    def subject(self) -> None:
        return None

    def get_question(self) -> str:
        return _("End the session of %(browser)s from %(address)s? It has to sign in again.") % {
            "browser": browsers.describe(self.object.agent),
            "address": self.object.address or _("an unknown address"),
        }

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self) -> str:
        sessions.end(actor=self.actor, session=self.object)
        messages.success(self.request, _("The session has ended."))
        return self.cancel_url()


class SessionsEndOthersPage(ActionPage):
    """Ends all of one's own sessions but this one."""

    action = "profile.secure"
    title = gettext_lazy("End all other sessions")
    question = gettext_lazy("End all your sessions but this one? Every other browser has to sign in again.")
    submit_label = gettext_lazy("End all others")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self) -> str:
        sessions.end_others(actor=self.actor, keep=self.request.session.session_key)
        messages.success(self.request, _("All other sessions have ended."))
        return self.cancel_url()


class DeviceForgetPage(ActionPage):
    """Forgets one of one's own browsers."""

    action = "profile.secure"
    title = gettext_lazy("Forget the device")
    submit_label = gettext_lazy("Forget the device")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.devices(str(self.actor.user_id))

    def subject(self) -> None:
        return None

    def get_question(self) -> str:
        return _("Forget %(browser)s? The next time it signs in, it needs your second factor.") % {
            "browser": browsers.describe(self.object.agent)
        }

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self) -> str:
        devices.forget(actor=self.actor, device=self.object)
        messages.success(self.request, _("The device is forgotten."))
        return self.cancel_url()


class PasskeyRemovePage(ActionPage):
    """Removes one of one's own passkeys."""

    action = "profile.weaken"
    title = gettext_lazy("Remove the passkey")
    submit_label = gettext_lazy("Remove the passkey")
    danger = True

    def rows(self) -> QuerySet[Any] | None:
        return selectors.passkeys(str(self.actor.user_id))

    def subject(self) -> None:
        return None

    def get_question(self) -> str:
        return _("Remove the passkey %(name)s? It signs in no more.") % {"name": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self) -> str:
        mfa.remove_passkey(actor=self.actor, passkey=self.object)
        messages.success(self.request, _("The passkey is removed."))
        return self.cancel_url()


class AddressChangePage(FormPage):
    """Asks for another mail address."""

    action = "profile.secure"
    fresh = True
    title = gettext_lazy("Another mail address")
    form_class = forms.AddressForm
    submit_label = gettext_lazy("Send both links")
    intro = gettext_lazy(
        "We send a link to your present address and one to the new one. Once you have followed both, the new address "
        "is the one you sign in with."
    )

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self, data: dict[str, Any]) -> str:
        agent = browsers.describe(self.request.headers.get("user-agent", ""))
        addresses.request(actor=self.actor, email=data["email"], agent=agent)
        messages.success(self.request, _("Two mails are on their way, one to each address."))
        return self.cancel_url()


class AddressCancelPage(ActionPage):
    """Drops one's own request for another mail address."""

    action = "profile.secure"
    title = gettext_lazy("Keep the present address")
    question = gettext_lazy("Keep your present mail address? The links that were sent end.")
    submit_label = gettext_lazy("Keep it")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _home()

    def act(self) -> str:
        addresses.cancel(actor=self.actor)
        return self.cancel_url()


class AddressConfirmPage(TemplateView):
    """Where the links of a change of address lead: GET asks, POST says yes. The link alone opens it, to nobody else."""

    template_name = "accounts/address_confirm.html"
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            change = addresses.find(self.kwargs["text"])
        except NotFound as error:
            return self._refused(error)
        return self.render_to_response(self.get_context_data(change=change))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say yes."""
        try:
            change = addresses.confirm(text=self.kwargs["text"], address=get_adapter().get_client_ip(request))
        except DomainError as error:
            return self._refused(error)
        return self.render_to_response(self.get_context_data(change=change, said=True, done=change.pk is None))

    def _refused(self, error: DomainError) -> HttpResponse:
        context = self.get_context_data(refusal=error.message)
        return render(self.request, self.template_name, context, status=error.status)


class SecondFactorPage(Page):
    """Leads somebody to the second factor that is demanded of them; until it is set up they see nothing else."""

    action = "profile.view"
    title = gettext_lazy("Set up a second factor")
    template_name = "accounts/second_factor.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.lacks_second_factor:  # type: ignore[attr-defined]
            return HttpResponseRedirect("/")
        return super().get(request, *args, **kwargs)


class SignInPolicyPage(FormPage):
    """What an organization demands of those who sign in."""

    action = "sign_in_policy.change"
    title = gettext_lazy("Sign-in policy")
    template_name = "accounts/sign_in_policy.html"
    form_class = forms.PolicyForm

    def rows(self) -> QuerySet[Any] | None:
        return organizations.listed()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        organization: Organization = self.object
        if organization.pk == self.actor.organization_id:
            return [(_("Team"), reverse("accounts:member_list"))]
        return [(organization.name, reverse(f"accounts:{organization.kind}", args=[organization.pk]))]

    def initial(self) -> dict[str, Any]:
        row = selectors.policy_of(self.object)
        return {field: getattr(row, field) for field in sign_in_policies.CHANGEABLE}

    def form_options(self) -> dict[str, Any]:
        return {"sells": self.object.kind != Organization.Kind.CLIENT}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(inherited=selectors.inherited(self.object), **kwargs)

    def act(self, data: dict[str, Any]) -> str:
        sign_in_policies.change(actor=self.actor, organization=self.object, **data)
        messages.success(self.request, _("Saved. It binds from everybody's next request."))
        return self.cancel_url()


class RememberPage(TrustView):  # type: ignore[misc]
    """After the second factor: offers not to ask for it in this browser for a while."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Let the person in, and remember the browser when they said so."""
        stage = self.request._login_stage
        response: HttpResponse = stage.exit()
        token = getattr(self.request, "device_token", "")
        if self.request.POST.get("action") == "trust" and token:
            actor = sessions.own_actor(stage.login.user, get_adapter().get_client_ip(self.request))
            devices.remember(actor=actor, user=stage.login.user, token=token)
        return response


def _seen(item: dict[str, Any]) -> tuple[object, ...]:
    return item["browser"], item["row"].address, item["row"].last_seen_at


def _shown(row: Any, current: bool = False) -> dict[str, Any]:
    return {"row": row, "browser": browsers.describe(row.agent), "current": current}
