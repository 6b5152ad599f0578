"""Routes of the pages of subscriptions."""

from django.urls import path

from billing.web import subscriptions as pages

urlpatterns = [
    path("subscriptions/", pages.SubscriptionListPage.as_view(), name="subscription_list"),
    path("subscriptions/new/", pages.SubscriptionStartPage.as_view(), name="subscription_start"),
    path("subscriptions/yours/", pages.PurchaseListPage.as_view(), name="purchase_list"),
    path("subscriptions/<str:pk>/", pages.SubscriptionPage.as_view(), name="subscription"),
    path("subscriptions/<str:pk>/change/", pages.SubscriptionChangePage.as_view(), name="subscription_change"),
    path("subscriptions/<str:pk>/add/", pages.SubscriptionAddPage.as_view(), name="subscription_add"),
    path("subscriptions/<str:pk>/cancel/", pages.SubscriptionCancelPage.as_view(), name="subscription_cancel"),
    path("subscriptions/<str:pk>/resume/", pages.SubscriptionResumePage.as_view(), name="subscription_resume"),
    path("subscriptions/<str:pk>/unpark/", pages.SubscriptionUnparkPage.as_view(), name="subscription_unpark"),
    path(
        "subscriptions/<str:pk>/parts/<str:component>/remove/",
        pages.ComponentRemovePage.as_view(),
        name="component_remove",
    ),
]
