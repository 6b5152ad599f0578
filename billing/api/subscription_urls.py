"""Routes of the API of subscriptions."""

from django.urls import path

from billing.api import subscriptions as views

urlpatterns = [
    path("subscriptions", views.SubscriptionList.as_view(), name="subscriptions"),
    path("subscriptions/<str:pk>", views.SubscriptionItem.as_view(), name="subscription"),
    path("subscriptions/<str:pk>/charges", views.SubscriptionCharges.as_view(), name="subscription_charges"),
    path("subscriptions/<str:pk>/preview", views.SubscriptionPreview.as_view(), name="subscription_preview"),
    path("subscriptions/<str:pk>/change", views.SubscriptionChange.as_view(), name="subscription_change"),
    path("subscriptions/<str:pk>/addons", views.SubscriptionAddons.as_view(), name="subscription_addons"),
    path("subscriptions/<str:pk>/addons/<str:component>", views.SubscriptionAddon.as_view(), name="subscription_addon"),
    path("subscriptions/<str:pk>/cancel", views.SubscriptionCancel.as_view(), name="subscription_cancel"),
    path("subscriptions/<str:pk>/resume", views.SubscriptionResume.as_view(), name="subscription_resume"),
    path("subscriptions/<str:pk>/unpark", views.SubscriptionUnpark.as_view(), name="subscription_unpark"),
    path("items", views.Items.as_view(), name="items"),
]
