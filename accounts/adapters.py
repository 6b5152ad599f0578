"""Where allauth asks what this panel does: sign-in per panel host, mail in the brand's name, sealed TOTP secrets."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.mail import sender
from accounts.models import Brand, User
from accounts.selectors import brands
from accounts.services import mfa, sessions, users


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

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Write the sign-in to the audit log."""
        sessions.started(user=user, address=self.get_client_ip(request))
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def set_password(self, user: User, password: str) -> None:
        """Set the password and end what the old one opened."""
        users.set_own_password(user=user, password=password, address=self.get_client_ip(context.request))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the link at the host of the user's own brand, whatever host was asked."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": context["uid"], "key": context["key"]})
        brand = brands.of_user(user)
        url = brands.base_url(brand) + path
        self.send_mail(
            "account/email/password_reset_key", user.email, context | {"password_reset_url": url, "brand": brand}
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail in the name of the brand of the user it is for."""
        brand = context.get("brand") or (brands.of_user(context["user"]) if "user" in context else self._brand())
        if not isinstance(brand, Brand):
            raise TypeError("Every mail is in the name of a brand.")
        message = self.render_mail(template_prefix, email, {**context, "email": email, "brand": brand})
        message.subject = f"{brand.name}: {message.subject}"
        message.from_email = sender(brand)
        if brand.support_email:
            message.reply_to = [brand.support_email]
        message.send()

    def format_email_subject(self, subject: str) -> str:
        """Leave the subject; `send_mail` adds the brand."""
        return subject

    @staticmethod
    def _brand() -> Brand | None:
        return getattr(context.request, "brand", None)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """TOTP named after the brand, its secrets sealed at rest."""

    def get_totp_issuer(self) -> str:
        """Return the name of the brand whose panel this is."""
        return str(context.request.brand.name)

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return mfa.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open what `encrypt` sealed."""
        return mfa.unseal(encrypted_text)
