"""Password check for the people of one panel host. TOTP, throttling and sessions are allauth's."""

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from accounts.models import Brand, User
from accounts.selectors import users
from panel.core.names import NameInvalid, mail_address


class PanelHostBackend(BaseBackend):
    """Finds users by the request's brand and mail address; elsewhere the same address and password open nothing."""

    def authenticate(
        self, request: HttpRequest | None, email: str | None = None, password: str | None = None, **_: object
    ) -> User | None:
        """Return the user whose password this is; takes the time of a password check also when there is nobody."""
        brand: Brand | None = getattr(request, "brand", None)
        if not email or not password or brand is None:
            return None
        candidates = users.at_brand(brand, _normal(email))
        for user in candidates:
            if user.check_password(password):
                return user
        if not candidates:
            User().set_password(password)
        return None

    def get_user(self, user_id: str) -> User | None:
        """Return the active user of a session."""
        return User.objects.select_related("brand_root").filter(pk=user_id, is_active=True).first()


def _normal(email: str) -> str:
    try:
        return mail_address(email)
    except NameInvalid:
        return ""
