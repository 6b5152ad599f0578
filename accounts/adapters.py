"""Where allauth asks what this panel does: sign-in per panel host, mail in the brand's name, sealed TOTP secrets."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import browsers, mail
from accounts.models import Brand, User
from accounts.selectors import brands, sign_in
from accounts.selectors import users as people
from accounts.services import devices, mfa, notices, sessions, users
from panel.core.error_pages import too_many

DEVICE_COOKIE = "panel_device"

#: allauth's name of a way to prove who one is → its button.
WAYS = {
    "reauthenticate": gettext_lazy("Use your password"),
    "mfa_reauthenticate": gettext_lazy("Use a code"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey"),
}

#: allauth's name of a notice → ours, and the thing that it is about.
NOTICES = {
    "account/email/password_changed": ("password_changed", ""),
    "account/email/password_reset": ("password_changed", ""),
    "account/email/password_set": ("password_changed", ""),
    "mfa/email/totp_activated": ("second_factor_added", gettext_lazy("authenticator app")),
    "mfa/email/totp_deactivated": ("second_factor_removed", gettext_lazy("authenticator app")),
    "mfa/email/webauthn_added": ("second_factor_added", gettext_lazy("passkey")),
    "mfa/email/webauthn_removed": ("second_factor_removed", gettext_lazy("passkey")),
    "mfa/email/recovery_codes_generated": ("recovery_codes_made", ""),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Passwords, sessions and mail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: people are added by those who may."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Follow `next` within this panel only."""
        return bool(url) and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Check the password of the signed-in user again, throttled like signing in."""
        self.pre_authenticate(context.request, email=user.email)
        if not user.check_password(password):
            return False
        self._rollback_login_failed_rl_usage()
        return True

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Let nobody in whose panel this is not, whatever key or link they came with."""
        if all(user.pk != known.pk for known in people.at_brand(request.brand, user.email)):  # type: ignore[attr-defined]
            self.add_message(request, messages.ERROR, message=str(self.error_messages["email_password_mismatch"]))
            return HttpResponseRedirect(reverse("account_login"))
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Note session and browser, write the sign-in to the audit log, and tell the person of a new browser."""
        address, agent = self.get_client_ip(request), request.headers.get("user-agent", "")
        minutes = sign_in.demands_on(user).session_minutes
        sessions.started(user=user, session=request.session, address=address, agent=agent, minutes=minutes)
        given = request.COOKIES.get(DEVICE_COOKIE, "")
        token, is_new = devices.note(user=user, token=given, agent=agent, address=address)
        if is_new:
            notices.send(user=user, kind="new_device", address=address, agent=browsers.describe(agent))
        request.device_token = token  # type: ignore[attr-defined]
        response: HttpResponse = super().post_login(request, user, **kwargs)
        response.set_cookie(
            DEVICE_COOKIE,
            token,
            max_age=devices.COOKIE_LIVES,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
        return response

    def get_login_stages(self) -> list[str]:
        """Ask for the second factor in our own way of knowing remembered browsers."""
        return ["accounts.stages.SecondFactorStage", "accounts.stages.RememberStage"]

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Name the ways to prove who one is in our words."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [way | {"description": WAYS.get(way["id"], way["description"])} for way in found]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again who somebody is unless they proved it a short while ago, at signing in or since."""
        return not sessions.is_fresh(context.request.session)

    def validation_error(self, code: str, *args: Any) -> Exception:
        """Answer too many attempts with 429 and a time, whatever form they came from."""
        if code == "too_many_login_attempts":
            throttled: Exception = ImmediateHttpResponse(too_many(context.request))
            return throttled
        error: Exception = super().validation_error(code, *args)
        return error

    def set_password(self, user: User, password: str) -> None:
        """Set the password and end what the old one opened, but for the session that asks."""
        request = context.request
        keep = request.session.session_key if request.user.pk == user.pk else None
        users.set_own_password(user=user, password=password, address=self.get_client_ip(request), keep=keep)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Tell a person of a change to their sign-in, in our words and the brand's name, and write it down."""
        kind, thing = NOTICES[template_prefix]
        address = self.get_client_ip(self.request)
        agent = browsers.describe(self.request.headers.get("user-agent", ""))
        if template_prefix.startswith("mfa/"):
            mfa.noted(user=user, actor=self.request.actor, action=kind.replace("_", ".", 1), thing=str(thing))
        notices.send(user=user, kind=kind, thing=str(thing), address=address, agent=agent)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the link at the host of the user's own brand, whatever host was asked."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": context["uid"], "key": context["key"]})
        brand = brands.of_user(user)
        mail.send(
            brand=brand,
            to=user.email,
            template="password_reset",
            context={"name": user.name, "link": brands.base_url(brand) + path},
            locale=user.locale,
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send what allauth words itself in the name of the brand of the user it is for."""
        brand = context.get("brand") or (brands.of_user(context["user"]) if "user" in context else self._brand())
        if not isinstance(brand, Brand):
            raise TypeError("Every mail is in the name of a brand.")
        message = self.render_mail(template_prefix, email, {**context, "email": email, "brand": brand})
        subject = f"{brand.name}: {message.subject}"
        mail.send_text(brand=brand, to=email, subject=subject, text=message.body, kind="sign_in")

    def format_email_subject(self, subject: str) -> str:
        """Leave the subject; `send_mail` adds the brand."""
        return subject

    @staticmethod
    def _brand() -> Brand | None:
        return getattr(context.request, "brand", None)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP and passkeys named after the brand, secrets sealed at rest."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return whose passkeys these are: they belong to this panel's host and open no other."""
        request = context.request
        return {"id": request.get_host().partition(":")[0].lower(), "name": str(request.brand.name)}

    def get_totp_issuer(self) -> str:
        """Return the name of the brand whose panel this is."""
        return str(context.request.brand.name)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Return the name that a new passkey is offered."""
        count = sign_in.passkeys(user.id).count() + 1
        return _("Passkey") if count == 1 else _("Passkey %(number)d") % {"number": count}

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return mfa.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed."""
        return mfa.unseal(encrypted_text)
