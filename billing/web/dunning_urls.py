"""Routes of what follows when nobody pays."""

from django.urls import path

from billing.web import dunning

urlpatterns = [
    path("overdue/", dunning.OverdueListPage.as_view(), name="overdue_list"),
    path("customers/<str:pk>/dunning/", dunning.CustomerDunningPage.as_view(), name="customer_dunning"),
    path("customers/<str:pk>/dunning/wait/", dunning.CustomerWaitPage.as_view(), name="customer_wait"),
    path("invoices/<str:pk>/dunning/wait/", dunning.InvoiceWaitPage.as_view(), name="invoice_wait"),
    path("dunning-pauses/<str:pk>/end/", dunning.ResumePage.as_view(), name="dunning_resume"),
    path("holds/<str:pk>/lift/", dunning.HoldLiftPage.as_view(), name="hold_lift"),
]
