"""Routes of signing in: those of allauth that this panel offers. Nobody signs up, and addresses are not self-served."""

from allauth.account import views
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path
from django.views.generic.base import RedirectView

from accounts.web.sign_in import RememberPage

_home = login_required(RedirectView.as_view(pattern_name="accounts:sign_in"))

urlpatterns = [
    path("sign-in/", views.login, name="account_login"),
    path("sign-out/", views.logout, name="account_logout"),
    path("sign-in/again/", views.reauthenticate, name="account_reauthenticate"),
    path("sign-in/inactive/", views.account_inactive, name="account_inactive"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("password/set/", views.password_set, name="account_set_password"),
    path("password/reset/", views.password_reset, name="account_reset_password"),
    path("password/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    path("password/reset/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z_]+)-(?P<key>[0-9A-Za-z-]+)/$",
        views.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("2fa/", _home, name="mfa_index"),
    path("2fa/trust/", RememberPage.as_view(), name="mfa_trust"),
    path("2fa/webauthn/", _home, name="mfa_list_webauthn"),
    path("2fa/", include("allauth.mfa.urls")),
]
