"""Routes of orders: the order page of a brand, and the pages where a seller decides."""

from django.urls import path

from billing.web import order_pages, orders

urlpatterns = [
    path("order/", order_pages.ShopPage.as_view(), name="shop"),
    path("order/watch/<str:token>/", order_pages.WatchPage.as_view(), name="order_watch"),
    path("order/watch/<str:token>/part/", order_pages.WatchPart.as_view(), name="order_part"),
    path("order/watch/<str:token>/pay/", order_pages.PayPage.as_view(), name="order_pay"),
    path("order/<str:pk>/", order_pages.OrderPage.as_view(), name="order_form"),
    path("order/<str:pk>/summary/", order_pages.SummaryPart.as_view(), name="order_summary"),
    path("orders/", orders.OrderListPage.as_view(), name="order_list"),
    path("orders/settings/", orders.OrderSettingsPage.as_view(), name="order_settings"),
    path("orders/<str:pk>/", orders.OrderDetailPage.as_view(), name="order"),
    path("orders/<str:pk>/approve/", orders.ApprovePage.as_view(), name="order_approve"),
    path("orders/<str:pk>/refuse/", orders.RefusePage.as_view(), name="order_refuse"),
    path("orders/<str:pk>/retry/", orders.RetryPage.as_view(), name="order_retry"),
]
