"""The verbs of provisioning: permit, limit, write, audit, intent, in one transaction.

Nothing else writes these tables.
"""
