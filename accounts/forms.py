"""allauth's forms where panel hosts make a difference, or where a code has to be used up."""

from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django.http import HttpRequest, HttpResponse

from accounts.selectors import users
from accounts.services import mfa, notices, sessions
from accounts.services import users as service
from panel.core.names import NameInvalid, mail_address

# What a browser's answer has beside the client data: of a key that it made, or of one that it has.
_ANSWERS = {True: ("attestationObject",), False: ("authenticatorData", "signature", "userHandle")}


class SignInForm(LoginForm):  # type: ignore[misc]
    """Asks for address and password; how long the session lasts is for policies to say, not for a box to tick."""

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        """Let the person in, or on to the second factor."""
        response: HttpResponse = super().login(request, redirect_url)
        sessions.bound(request.session)
        return response


class PasswordResetForm(ResetPasswordForm):  # type: ignore[misc]
    """Asks for a reset mail; finds people of the request's panel host only, and tells nobody whether it found any."""

    def clean_email(self) -> str:
        """Look the people up and return the address."""
        email: str = self.cleaned_data["email"]
        try:
            self.users = users.at_brand(context.request.brand, mail_address(email))
        except NameInvalid:
            self.users = []
        return email

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the link; earlier ones end."""
        self.users = [service.begin_reset(user=user) for user in self.users]
        email: str = super().save(request, **kwargs)
        return email


class SpentOnce:
    """Uses up the code of an authenticator app, and tells the person of a recovery code."""

    cleaned_data: dict[str, Any]
    authenticator: Authenticator
    user: Any

    def clean_code(self) -> str:
        """Return the code; refuses one that was used before like one that is wrong."""
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP and not mfa.spend(self.authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            notices.send(
                user=self.user, kind="recovery_code_used", address=account_adapter().get_client_ip(context.request)
            )
        return code


class CodeForm(SpentOnce, AuthenticateForm):  # type: ignore[misc]
    """Asks for a code at signing in."""


class CodeAgainForm(SpentOnce, ReauthenticateForm):  # type: ignore[misc]
    """Asks for a code before a dangerous act."""


class WellFormed:
    """Refuses what is no answer of a browser (WebAuthn Level 2, 5.1) before the library reads it."""

    cleaned_data: dict[str, Any]
    creates = False

    def clean_credential(self) -> Any:
        """Return what the library makes of the answer."""
        if not _is_credential(self.cleaned_data["credential"], creates=self.creates):
            raise get_adapter().validation_error("incorrect_code")
        checked = getattr(super(), "clean_credential", None)
        return checked() if checked else self.cleaned_data["credential"]


class PasskeyLoginForm(WellFormed, LoginWebAuthnForm):  # type: ignore[misc]
    """Signs in with a passkey alone."""


class PasskeyForm(WellFormed, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Asks for a passkey as second factor."""


class PasskeyAgainForm(WellFormed, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Asks for a passkey before a dangerous act."""


class PasskeyAddForm(WellFormed, AddWebAuthnForm):  # type: ignore[misc]
    """Adds a passkey."""

    creates = True


def _is_credential(answer: object, *, creates: bool) -> bool:
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        return False
    texts = [answer.get(name) for name in ("id", "rawId", "type")]
    texts += [answer["response"].get(name) for name in ("clientDataJSON", *_ANSWERS[creates])]
    return all(isinstance(text, str) for text in texts)
