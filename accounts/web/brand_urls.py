"""Routes of the brand's pages: of one's own brand, and of a reseller's below."""

from django.urls import path

from accounts.web import brands

PAGES = (
    ("brand", "", brands.BrandPage),
    ("brand_preview", "preview/", brands.PreviewPage),
    ("brand_host", "host/", brands.HostPage),
    ("brand_host_withdraw", "host/withdraw/", brands.WithdrawPage),
)

urlpatterns = [
    *(path(f"brand/{part}", page.as_view(), name=name) for name, part, page in PAGES),
    *(path(f"resellers/<str:pk>/brand/{part}", page.as_view(), name=f"reseller_{name}") for name, part, page in PAGES),
    path("resellers/<str:pk>/brand/host/old/<str:old>/end/", brands.EndOldPage.as_view(), name="brand_old_host_end"),
    path("resellers/<str:pk>/brand/host/vouch/", brands.VouchPage.as_view(), name="reseller_brand_host_vouch"),
]
