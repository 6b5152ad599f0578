"""Routes of addresses for programs."""

from django.urls import path

from billing.api import hooks

urlpatterns = [
    path("webhooks", hooks.WebhookList.as_view(), name="webhooks"),
    path("webhooks/<str:pk>", hooks.WebhookItem.as_view(), name="webhook"),
    path("webhooks/<str:pk>/secret", hooks.WebhookRotate.as_view(), name="webhook_rotate"),
    path("webhooks/<str:pk>/test", hooks.WebhookTest.as_view(), name="webhook_test"),
    path("webhooks/<str:pk>/messages", hooks.WebhookMessageList.as_view(), name="webhook_messages"),
    path("webhook-messages/<str:pk>/resend", hooks.WebhookMessageResend.as_view(), name="webhook_message_resend"),
]
