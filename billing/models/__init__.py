"""The tables of money."""

from billing.models.catalogue import Meter, Price, Product
from billing.models.customers import Customer, TaxRate, VatCheck
from billing.models.dunning import DunningPause, DunningStep, Hold, Hook, HookDelivery
from billing.models.feeds import PriceFeed, PricePoint
from billing.models.invoices import Document, Invoice, InvoiceLine, InvoiceTax, Receivable
from billing.models.ledger import LedgerEntry
from billing.models.orders import Order, OrderAddon
from billing.models.payments import (
    Allocation,
    BankEntry,
    Dispute,
    Gateway,
    GatewayEvent,
    Payment,
    PaymentMethod,
    Refund,
)
from billing.models.sellers import Seller, SeriesCounter
from billing.models.subscriptions import Charge, Component, MeterEvent, Subscription

__all__ = [
    "Allocation",
    "BankEntry",
    "Charge",
    "Component",
    "Customer",
    "Dispute",
    "Document",
    "DunningPause",
    "DunningStep",
    "Gateway",
    "GatewayEvent",
    "Hold",
    "Hook",
    "HookDelivery",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "LedgerEntry",
    "Meter",
    "MeterEvent",
    "Order",
    "OrderAddon",
    "Payment",
    "PaymentMethod",
    "Price",
    "PriceFeed",
    "PricePoint",
    "Product",
    "Receivable",
    "Refund",
    "Seller",
    "SeriesCounter",
    "Subscription",
    "TaxRate",
    "VatCheck",
]
