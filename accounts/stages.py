"""Steps between password and session: the second factor, and remembering the browser that gave it."""

from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage, TrustStage
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.internal.flows import did_use_passwordless_login
from django.http import HttpRequest

from accounts.adapters import DEVICE_COOKIE
from accounts.selectors import sign_in
from accounts.services import devices


class SecondFactorStage(AuthenticateStage):  # type: ignore[misc]
    """Asks for a second factor, unless a passkey was the first or the person remembered this browser."""

    def _should_handle(self, request: HttpRequest) -> bool:
        user = self.login.user
        if user is None or not is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
            return False
        if did_use_passwordless_login(request, user):
            return False
        return not devices.is_remembered(user=user, token=request.COOKIES.get(DEVICE_COOKIE, ""))


class RememberStage(TrustStage):  # type: ignore[misc]
    """Offers to remember the browser, where policies allow that."""

    def handle(self) -> tuple[object, bool]:
        """Return what to show, and whether signing in goes on."""
        if not sign_in.demands_on(self.login.user).remember_devices:
            return None, True
        shown: tuple[object, bool] = super().handle()
        return shown
