"""Routes of the accounts pages."""

from django.urls import include, path

from accounts.web import impersonations, invitations, organizations, people, plans, sign_in

app_name = "accounts"
urlpatterns = [
    path("clients/", organizations.ClientListPage.as_view(), name="client_list"),
    path("clients/new/", organizations.ClientCreatePage.as_view(), name="client_create"),
    path("resellers/", organizations.ResellerListPage.as_view(), name="reseller_list"),
    path("resellers/new/", organizations.ResellerCreatePage.as_view(), name="reseller_create"),
    path("reseller-plans/", plans.PlanListPage.as_view(), name="plan_list"),
    path("reseller-plans/new/", plans.PlanCreatePage.as_view(), name="plan_create"),
    path("reseller-plans/<str:pk>/", plans.PlanChangePage.as_view(), name="plan_change"),
    path("reseller-plans/<str:pk>/remove/", plans.PlanRemovePage.as_view(), name="plan_remove"),
    path("resellers/<str:pk>/plan/", plans.ResellerPlanPage.as_view(), name="reseller_plan"),
    path("limits/", plans.OwnLimitsPage.as_view(), name="own_limits"),
    path("organizations/<str:pk>/limits/", plans.OrganizationLimitsPage.as_view(), name="organization_limits"),
    path("resellers/<str:pk>/limits/", organizations.LimitsPage.as_view(kind="reseller"), name="reseller_limits"),
    *(
        path(f"{kind}s/<str:pk>/{part}", page.as_view(kind=kind), name=f"{kind}_{verb}" if verb else kind)
        for kind in ("client", "reseller")
        for verb, part, page in (
            ("", "", organizations.OrganizationPage),
            ("change", "change/", organizations.ChangePage),
        )
    ),
    path("organizations/<str:pk>/invite/", invitations.InvitePage.as_view(), name="invite"),
    path("organizations/<str:pk>/invitations/", invitations.InvitationListPage.as_view(), name="invitation_list"),
    path("invitations/<str:token>/", invitations.AcceptPage.as_view(), name="invitation_accept"),
    path("invitations/<str:pk>/resend/", invitations.ResendPage.as_view(), name="invitation_resend"),
    path("invitations/<str:pk>/revoke/", invitations.RevokePage.as_view(), name="invitation_revoke"),
    path("people/", people.MemberListPage.as_view(), name="member_list"),
    path("people/<str:pk>/", people.MemberChangePage.as_view(), name="member_change"),
    path("people/<str:pk>/transfer/", people.TransferPage.as_view(), name="member_transfer"),
    path("people/<str:pk>/remove/", people.MemberRemovePage.as_view(), name="member_remove"),
    path("people/<str:pk>/impersonate/", impersonations.ImpersonatePage.as_view(), name="impersonate"),
    path("impersonations/", impersonations.ImpersonationListPage.as_view(), name="impersonation_list"),
    path("impersonations/end/", impersonations.ImpersonationEndPage.as_view(), name="impersonation_end"),
    path("tokens/", people.TokenListPage.as_view(), name="token_list"),
    path("tokens/new/", people.TokenCreatePage.as_view(), name="token_create"),
    path("tokens/<str:pk>/revoke/", people.TokenRevokePage.as_view(), name="token_revoke"),
    path("", include("accounts.web.brand_urls")),
    path("", include("accounts.web.mail_urls")),
    path("profile/", people.ProfilePage.as_view(), name="profile"),
    path("profile/sign-in/", sign_in.SignInPage.as_view(), name="sign_in"),
    path("profile/sign-in/second-factor/", sign_in.SecondFactorPage.as_view(), name="second_factor"),
    path("profile/sessions/others/end/", sign_in.SessionsEndOthersPage.as_view(), name="sessions_end_others"),
    path("profile/sessions/<str:pk>/end/", sign_in.SessionEndPage.as_view(), name="session_end"),
    path("profile/devices/<str:pk>/forget/", sign_in.DeviceForgetPage.as_view(), name="device_forget"),
    path("profile/passkeys/<int:pk>/remove/", sign_in.PasskeyRemovePage.as_view(), name="passkey_remove"),
    path("profile/mail-address/", sign_in.AddressChangePage.as_view(), name="address_change"),
    path("profile/mail-address/keep/", sign_in.AddressCancelPage.as_view(), name="address_cancel"),
    path("mail-address/<str:text>/", sign_in.AddressConfirmPage.as_view(), name="address_confirm"),
    path("organizations/<str:pk>/sign-in/", sign_in.SignInPolicyPage.as_view(), name="sign_in_policy"),
]
