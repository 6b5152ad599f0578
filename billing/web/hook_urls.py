"""Routes of addresses for programs."""

from django.urls import path

from billing.web import hooks

urlpatterns = [
    path("billing/webhooks/", hooks.HookListPage.as_view(), name="hook_list"),
    path("billing/webhooks/new/", hooks.HookCreatePage.as_view(), name="hook_create"),
    path("billing/webhooks/messages/<str:pk>/resend/", hooks.DeliveryResendPage.as_view(), name="hook_resend"),
    path("billing/webhooks/<str:pk>/", hooks.HookPage.as_view(), name="hook"),
    path("billing/webhooks/<str:pk>/change/", hooks.HookChangePage.as_view(), name="hook_change"),
    path("billing/webhooks/<str:pk>/secret/", hooks.HookRotatePage.as_view(), name="hook_rotate"),
    path("billing/webhooks/<str:pk>/test/", hooks.HookTestPage.as_view(), name="hook_test"),
    path("billing/webhooks/<str:pk>/remove/", hooks.HookRemovePage.as_view(), name="hook_remove"),
]
