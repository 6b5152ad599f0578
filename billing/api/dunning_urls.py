"""Routes of what follows when nobody pays."""

from django.urls import path

from billing.api import dunning

urlpatterns = [
    path("overdue", dunning.OverdueList.as_view(), name="overdue"),
    path("invoices/<str:pk>/dunning", dunning.InvoiceDunning.as_view(), name="invoice_dunning"),
    path("dunning-pauses", dunning.PauseList.as_view(), name="dunning_pauses"),
    path("dunning-pauses/<str:pk>", dunning.PauseItem.as_view(), name="dunning_pause"),
    path("holds", dunning.HoldList.as_view(), name="holds"),
    path("holds/<str:pk>/lift", dunning.HoldLift.as_view(), name="hold_lift"),
]
