"""Routes of the accounts API."""

from django.urls import path

from accounts.api import brands, invitations, mail, organizations, people, plans, sign_in

app_name = "accounts_api"
urlpatterns = [
    path("me", people.Me.as_view(), name="me"),
    path("me/sessions", sign_in.MySessions.as_view(), name="my_sessions"),
    path("me/sessions/end-others", sign_in.MyOtherSessions.as_view(), name="my_other_sessions"),
    path("me/sessions/<str:pk>", sign_in.MySession.as_view(), name="my_session"),
    path("me/devices", sign_in.MyDevices.as_view(), name="my_devices"),
    path("me/devices/<str:pk>", sign_in.MyDevice.as_view(), name="my_device"),
    path("me/passkeys", sign_in.MyPasskeys.as_view(), name="my_passkeys"),
    path("me/passkeys/<int:pk>", sign_in.MyPasskey.as_view(), name="my_passkey"),
    path("organizations/<str:pk>/sign-in-policy", sign_in.Policy.as_view(), name="sign_in_policy"),
    path("organizations", organizations.Organizations.as_view(), name="organizations"),
    path("organizations/<str:pk>", organizations.OneOrganization.as_view(), name="organization"),
    path("organizations/<str:pk>/limits", organizations.Limits.as_view(), name="organization_limits"),
    path("organizations/<str:pk>/plan", plans.PlanOfReseller.as_view(), name="organization_plan"),
    path("reseller-plans", plans.Plans.as_view(), name="plans"),
    path("reseller-plans/<str:pk>", plans.OnePlan.as_view(), name="plan"),
    path("reseller-plans/<str:pk>/impact", plans.PlanImpact.as_view(), name="plan_impact"),
    path("organizations/<str:pk>/brand", brands.OneBrand.as_view(), name="brand"),
    path("organizations/<str:pk>/brand/pictures/<str:slot>", brands.Picture.as_view(), name="brand_picture"),
    path("organizations/<str:pk>/brand/mail", mail.Sender.as_view(), name="mail"),
    path("organizations/<str:pk>/brand/mail/smtp", mail.Smtp.as_view(), name="mail_smtp"),
    path("organizations/<str:pk>/brand/mail/smtp/try", mail.SmtpTry.as_view(), name="mail_smtp_try"),
    path("organizations/<str:pk>/brand/mail/smtp/private", mail.Private.as_view(), name="mail_private"),
    path("organizations/<str:pk>/brand/mail/key", mail.Key.as_view(), name="mail_key"),
    path("organizations/<str:pk>/brand/mail/key/check", mail.KeyCheck.as_view(), name="mail_check"),
    path("organizations/<str:pk>/brand/mail/texts", mail.Texts.as_view(), name="mail_texts"),
    path("organizations/<str:pk>/brand/mail/texts/<str:kind>", mail.OneText.as_view(), name="mail_text"),
    path(
        "organizations/<str:pk>/brand/mail/texts/<str:kind>/preview",
        mail.TextPreview.as_view(),
        name="mail_text_preview",
    ),
    path("organizations/<str:pk>/brand/mail/texts/<str:kind>/test", mail.TextTest.as_view(), name="mail_text_test"),
    path("organizations/<str:pk>/brand/mail/outgoing", mail.Outgoing.as_view(), name="outgoing_mails"),
    path(
        "organizations/<str:pk>/brand/mail/outgoing/<str:mail>/retry", mail.Retry.as_view(), name="outgoing_mail_retry"
    ),
    path("organizations/<str:pk>/brand/panel-host", brands.PanelHost.as_view(), name="brand_panel_host"),
    path("organizations/<str:pk>/brand/old-hosts/<str:old>", brands.OldHost.as_view(), name="brand_old_host"),
    path("organizations/<str:pk>/brand/panel-host/check", brands.PanelHostCheck.as_view(), name="brand_host_check"),
    path("organizations/<str:pk>/brand/panel-host/vouch", brands.PanelHostVouch.as_view(), name="brand_host_vouch"),
    path("organizations/<str:pk>/members", people.Members.as_view(), name="members"),
    path("organizations/<str:pk>/invitations", invitations.Invitations.as_view(), name="organization_invitations"),
    path("invitations/<str:pk>", invitations.OneInvitation.as_view(), name="invitation"),
    path("invitations/<str:pk>/resend", invitations.Resend.as_view(), name="invitation_resend"),
    path("members/<str:pk>/transfer", people.Transfer.as_view(), name="member_transfer"),
    path("members/<str:pk>", people.OneMember.as_view(), name="member"),
    path("impersonations", people.Impersonations.as_view(), name="impersonations"),
    path("tokens", people.Tokens.as_view(), name="tokens"),
    path("tokens/<str:pk>", people.OneToken.as_view(), name="token"),
    path("audit", brands.Audit.as_view(), name="audit"),
]
