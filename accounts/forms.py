"""allauth's forms where panel hosts make a difference."""

from allauth.account.forms import ResetPasswordForm
from allauth.core import context

from accounts.selectors import users
from panel.core.names import NameInvalid, mail_address


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
