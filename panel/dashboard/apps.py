"""Registers the dashboard with Django. Nothing happens at import or start."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """The panel's frame and the pages that belong to no single app."""

    name = "panel.dashboard"
    label = "dashboard"
