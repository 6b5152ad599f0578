"""Routes of the accounts pages."""

from django.urls import path

from accounts.web import organizations, people

app_name = "accounts"
urlpatterns = [
    path("clients/", organizations.ClientListPage.as_view(), name="client_list"),
    path("clients/new/", organizations.ClientCreatePage.as_view(), name="client_create"),
    path("resellers/", organizations.ResellerListPage.as_view(), name="reseller_list"),
    path("resellers/new/", organizations.ResellerCreatePage.as_view(), name="reseller_create"),
    path("resellers/<str:pk>/limits/", organizations.LimitsPage.as_view(kind="reseller"), name="reseller_limits"),
    path("resellers/<str:pk>/brand/", people.BrandPage.as_view(), name="reseller_brand"),
    *(
        path(f"{kind}s/<str:pk>/{part}", page.as_view(kind=kind), name=f"{kind}_{verb}" if verb else kind)
        for kind in ("client", "reseller")
        for verb, part, page in (
            ("", "", organizations.OrganizationPage),
            ("change", "change/", organizations.ChangePage),
            ("suspend", "suspend/", organizations.SuspendPage),
            ("unsuspend", "release/", organizations.UnsuspendPage),
            ("close", "close/", organizations.ClosePage),
        )
    ),
    path("organizations/<str:pk>/people/new/", people.MemberCreatePage.as_view(), name="member_create"),
    path("people/", people.MemberListPage.as_view(), name="member_list"),
    path("people/<str:pk>/", people.MemberChangePage.as_view(), name="member_change"),
    path("people/<str:pk>/remove/", people.MemberRemovePage.as_view(), name="member_remove"),
    path("tokens/", people.TokenListPage.as_view(), name="token_list"),
    path("tokens/new/", people.TokenCreatePage.as_view(), name="token_create"),
    path("tokens/<str:pk>/revoke/", people.TokenRevokePage.as_view(), name="token_revoke"),
    path("brand/", people.BrandPage.as_view(), name="brand"),
    path("profile/", people.ProfilePage.as_view(), name="profile"),
]
