"""The tokens of reset links and invitations: each works once, and only the one made last works at all."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.models import User


class ResetTokenGenerator(PasswordResetTokenGenerator):
    """Binds a token to password, mail address and the person's serial: a change of any of them ends it."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.reset_serial}"
