"""Routes of a brand's mail; `pk` is the organization's whose brand it is."""

from django.urls import path

from accounts.web import brand_mail

PAGES = (
    ("mail", "", brand_mail.MailPage),
    ("mail_sender", "sender/", brand_mail.SenderPage),
    ("mail_smtp", "server/", brand_mail.SmtpPage),
    ("mail_private", "server/private/", brand_mail.PrivatePage),
    ("mail_try", "server/try/", brand_mail.TryPage),
    ("mail_key", "key/", brand_mail.KeyPage),
    ("mail_check", "key/check/", brand_mail.CheckPage),
    ("mail_retry", "outgoing/<str:mail>/retry/", brand_mail.RetryPage),
    ("mail_text", "texts/<str:kind>/", brand_mail.TextPage),
    ("mail_text_preview", "texts/<str:kind>/preview/", brand_mail.TextPreviewPage),
    ("mail_text_reset", "texts/<str:kind>/reset/", brand_mail.TextResetPage),
    ("mail_text_test", "texts/<str:kind>/test/", brand_mail.TextTestPage),
)

urlpatterns = [path(f"brands/<str:pk>/mail/{part}", page.as_view(), name=name) for name, part, page in PAGES]
