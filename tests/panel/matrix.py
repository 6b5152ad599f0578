"""The permission matrix as data: for each route and method, who may. Every route needs a row; add yours here.

`of` names objects of tests.panel.world by the route's arguments: "account" is short for "pk=account". Who cannot see
the object gets 404, who can see it but may not gets 403, strangers are sent to sign in (pages) or get 401 (API).
"""

from dataclasses import dataclass

ROLES = (
    "anonymous",
    "provider",
    "reseller_a",
    "readonly_a",
    "reseller_b",
    "sub_reseller",
    "client_a",
    "client_b",
)
PEOPLE = frozenset(ROLES) - {"anonymous"}
SELLERS_LOOK = frozenset({"provider", "reseller_a", "readonly_a", "reseller_b", "sub_reseller"})
SELLERS = SELLERS_LOOK - {"readonly_a"}
WORKERS = PEOPLE - {"readonly_a"}
PROVIDER = frozenset({"provider"})
# Those who can see what client A has, and of them those who may change it, and those who sold it.
LOOK = frozenset({"provider", "reseller_a", "readonly_a", "client_a"})
WORK = LOOK - {"readonly_a"}
SELL = frozenset({"provider", "reseller_a"})
SELL_LOOK = SELL | {"readonly_a"}
OWN = frozenset({"client_a"})


@dataclass(frozen=True)
class Row:
    """Who may use `methods` of `route` on the objects `of`; the others get what their place in the tree says."""

    route: str
    methods: str
    of: str
    may: frozenset[str]

    def __str__(self) -> str:
        return f"{self.route} {self.methods.replace(' ', ',')}"


# Open to everybody at a panel's host; what they show is no tenant's.
PUBLIC = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "dashboard:brand_css",
    "dashboard:brand_file",
    "dashboard:brand_icon",
    "dashboard:brand_favicon",
    "dashboard:robots",
    "api_schema",
    "api_docs",
}

# Of one's own sign-in: 404 for who has no second factor.
SECOND_FACTOR = {"mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes"}

SIGN_IN = [
    Row("account_reauthenticate", "GET", "", PEOPLE),
    Row("account_change_password", "GET", "", PEOPLE),
    Row("account_set_password", "GET", "", PEOPLE),
    Row("mfa_index", "GET", "", PEOPLE),
    Row("mfa_reauthenticate", "GET", "", PEOPLE),
    Row("mfa_activate_totp", "GET", "", PEOPLE),
    Row("mfa_deactivate_totp", "GET", "", PEOPLE),
    Row("mfa_view_recovery_codes", "GET", "", PEOPLE),
    Row("mfa_generate_recovery_codes", "GET", "", PEOPLE),
    Row("mfa_download_recovery_codes", "GET", "", PEOPLE),
]

DASHBOARD = [
    Row("dashboard:home", "GET", "", PEOPLE),
    Row("dashboard:search", "GET", "", PEOPLE),
    Row("dashboard:activity", "GET", "", WORKERS),
    Row("dashboard:switch", "POST", "", PEOPLE),
]

ACCOUNTS_PAGES = [
    Row("accounts:profile", "GET POST", "", PEOPLE),
    Row("accounts:client_list", "GET", "", SELLERS),
    Row("accounts:client_create", "GET POST", "", SELLERS),
    Row("accounts:client", "GET", "client_a", LOOK),
    Row("accounts:client_change", "GET POST", "client_a", WORK),
    Row("accounts:client_suspend", "GET POST", "client_a", SELL),
    Row("accounts:client_unsuspend", "GET POST", "client_a", SELL),
    Row("accounts:client_close", "GET POST", "client_a", SELL),
    Row("accounts:reseller_list", "GET", "", SELLERS),
    Row("accounts:reseller_create", "GET POST", "", SELLERS),
    Row("accounts:reseller", "GET", "below=reseller_a", PROVIDER),
    Row("accounts:reseller_change", "GET POST", "below=reseller_a", PROVIDER),
    Row("accounts:reseller_limits", "GET POST", "below=reseller_a", PROVIDER),
    Row("accounts:reseller_brand", "GET POST", "reseller_a", SELL),
    Row("accounts:reseller_brand_preview", "POST", "reseller_a", SELL),
    Row("accounts:reseller_brand_host", "GET POST", "reseller_a", SELL),
    Row("accounts:reseller_brand_host_withdraw", "GET POST", "reseller_a", SELL),
    Row("accounts:reseller_brand_host_vouch", "GET POST", "reseller_a", PROVIDER),
    Row("accounts:reseller_suspend", "GET POST", "below=reseller_a", PROVIDER),
    Row("accounts:reseller_unsuspend", "GET POST", "below=reseller_a", PROVIDER),
    Row("accounts:reseller_close", "GET POST", "below=reseller_a", PROVIDER),
    Row("accounts:brand", "GET POST", "", SELLERS),
    Row("accounts:brand_preview", "POST", "", SELLERS),
    Row("accounts:brand_host", "GET POST", "", SELLERS),
    Row("accounts:brand_host_withdraw", "GET POST", "", SELLERS),
    Row("accounts:member_list", "GET", "", PEOPLE),
    Row("accounts:member_create", "GET POST", "client_a", WORK),
    Row("accounts:member_change", "GET", "member_of_client_a", LOOK),
    Row("accounts:member_remove", "GET", "member_of_client_a", WORK),
    Row("accounts:member_remove", "GET", "member_of_reseller_a", SELL),
    Row("accounts:token_list", "GET", "", PEOPLE),
    Row("accounts:token_create", "GET", "", WORKERS),
    Row("accounts:token_revoke", "GET POST", "token_of_client_a", OWN),
]

ACCOUNTS_API = [
    Row("accounts_api:me", "GET", "", PEOPLE),
    Row("accounts_api:organizations", "GET POST", "", PEOPLE),
    Row("accounts_api:organization", "GET", "client_a", LOOK),
    Row("accounts_api:organization", "PATCH", "client_a", WORK),
    Row("accounts_api:organization_suspend", "POST", "client_a", SELL),
    Row("accounts_api:organization_suspend", "POST", "reseller_a", PROVIDER),
    Row("accounts_api:organization_unsuspend", "POST", "client_a", SELL),
    Row("accounts_api:organization_close", "POST", "client_a", SELL),
    Row("accounts_api:organization_limits", "GET", "client_a", LOOK),
    Row("accounts_api:organization_limits", "PATCH", "client_a", SELL),
    Row("accounts_api:organization_limits", "PATCH", "reseller_a", PROVIDER),
    Row("accounts_api:brand", "GET", "reseller_a", SELL_LOOK),
    Row("accounts_api:brand", "PATCH", "reseller_a", SELL),
    Row("accounts_api:brand_picture", "PUT DELETE", "pk=reseller_a slot=logo", SELL),
    Row("accounts_api:brand_panel_host", "DELETE", "reseller_a", SELL),
    Row("accounts_api:brand_host_check", "POST", "reseller_a", SELL),
    Row("accounts_api:brand_host_vouch", "POST", "reseller_a", PROVIDER),
    Row("accounts_api:members", "GET", "client_a", LOOK),
    Row("accounts_api:members", "POST", "client_a", WORK),
    Row("accounts_api:member", "GET", "member_of_client_a", LOOK),
    Row("accounts_api:member", "PATCH", "member_of_client_a", WORK),
    Row("accounts_api:member", "DELETE", "member_of_reseller_a", PROVIDER),
    Row("accounts_api:tokens", "GET", "", PEOPLE),
    Row("accounts_api:tokens", "POST", "", WORKERS),
    Row("accounts_api:token", "GET DELETE", "token_of_client_a", OWN),
    Row("accounts_api:audit", "GET", "", WORKERS),
]

PROVISIONING_PAGES = [
    Row("provisioning:server_list", "GET", "", PROVIDER),
    Row("provisioning:server_add", "GET POST", "", PROVIDER),
    Row("provisioning:server", "GET", "server", PROVIDER),
    Row("provisioning:scan_list", "GET", "", SELLERS_LOOK),
    Row("provisioning:scan_start", "GET POST", "", SELLERS),
    Row("provisioning:scan", "GET", "scan_of_reseller_a", SELL_LOOK),
    Row("provisioning:scan_part", "GET", "scan_of_reseller_a", SELL_LOOK),
    Row("provisioning:server_setup", "GET", "server", PROVIDER),
    Row("provisioning:server_change", "GET POST", "server", PROVIDER),
    Row("provisioning:server_open", "GET POST", "server", PROVIDER),
    Row("provisioning:server_confirm", "POST", "server", PROVIDER),
    Row("provisioning:server_fetch_key", "POST", "server", PROVIDER),
    Row("provisioning:server_bootstrap", "GET POST", "server", PROVIDER),
    Row("provisioning:server_reconcile", "GET POST", "server", PROVIDER),
    Row("provisioning:drift", "GET", "server", PROVIDER),
    Row("provisioning:drift_part", "GET", "server", PROVIDER),
    Row("provisioning:drift_check", "GET POST", "server", PROVIDER),
    Row("provisioning:drift_restore", "GET POST", "server", PROVIDER),
    Row("provisioning:drift_history", "GET", "server", PROVIDER),
    Row("provisioning:drift_item_restore", "GET POST", "drift", PROVIDER),
    Row("provisioning:drift_item_adopt", "GET POST", "drift", PROVIDER),
    Row("provisioning:drift_item_pin", "GET POST", "drift", PROVIDER),
    Row("provisioning:drift_pin_remove", "GET POST", "pin", PROVIDER),
    Row("provisioning:server_overrule", "GET POST", "server", PROVIDER),
    Row("provisioning:rebuild_start", "GET POST", "server", PROVIDER),
    Row("provisioning:rebuild", "GET", "rebuild", PROVIDER),
    Row("provisioning:rebuild_part", "GET", "rebuild", PROVIDER),
    Row("provisioning:address_add", "GET POST", "server", PROVIDER),
    Row("provisioning:address_remove", "GET POST", "address", PROVIDER),
    Row("provisioning:operation_list", "GET", "", PEOPLE),
    Row("provisioning:operation", "GET", "operation", LOOK),
    Row("provisioning:operation_part", "GET", "operation", LOOK),
    Row("provisioning:operation_log", "GET", "operation", LOOK),
    Row("provisioning:operation_retry", "POST", "operation", WORK),
    Row("provisioning:operation_cancel", "GET POST", "operation", WORK),
    Row("provisioning:operation_confirm", "GET POST", "operation", PROVIDER),
    Row("provisioning:preview", "GET", "preview_of_reseller_a", frozenset({"reseller_a"})),
    Row("provisioning:preview_part", "GET", "preview_of_reseller_a", frozenset({"reseller_a"})),
    Row("provisioning:preview_again", "GET POST", "preview_of_reseller_a", frozenset({"reseller_a"})),
    Row("provisioning:preview_confirm", "POST", "preview_of_reseller_a", frozenset({"reseller_a"})),
    Row("provisioning:package_list", "GET", "", SELLERS_LOOK),
    Row("provisioning:package_create", "GET POST", "", SELLERS),
    Row("provisioning:package_change", "GET POST", "package_of_reseller_a", SELL),
    Row("provisioning:package_remove", "GET POST", "package_of_reseller_a", SELL),
    Row("provisioning:account_list", "GET", "", PEOPLE),
    Row("provisioning:account_create", "GET POST", "", SELLERS),
    Row("provisioning:account", "GET", "account", LOOK),
    Row("provisioning:account_suspend", "GET POST", "account", SELL),
    Row("provisioning:account_unsuspend", "GET POST", "account", SELL),
    Row("provisioning:account_rename", "GET POST", "account", SELL),
    Row("provisioning:account_restore", "GET POST", "account", SELL),
    Row("provisioning:account_terminate", "GET POST", "account", SELL),
    Row("provisioning:account_sites", "GET", "account", LOOK),
    Row("provisioning:account_databases", "GET", "account", LOOK),
    Row("provisioning:account_mail", "GET", "account", LOOK),
    Row("provisioning:account_zones", "GET", "account", LOOK),
    Row("provisioning:account_history", "GET", "account", LOOK),
    Row("provisioning:site_alias_add", "GET POST", "site", WORK),
    Row("provisioning:site_alias_remove", "GET POST", "site_alias", WORK),
    Row("provisioning:database_add", "GET POST", "account", WORK),
    Row("provisioning:database_remove", "GET POST", "database", WORK),
    Row("provisioning:database_user_add", "GET POST", "account", WORK),
    Row("provisioning:database_user_change", "GET POST", "database_user", WORK),
    Row("provisioning:database_user_remove", "GET POST", "database_user", WORK),
    Row("provisioning:mailbox_add", "GET POST", "mail_domain", WORK),
    Row("provisioning:mailbox_change", "GET POST", "mailbox", WORK),
    Row("provisioning:mailbox_remove", "GET POST", "mailbox", WORK),
    Row("provisioning:mail_alias_add", "GET POST", "mail_domain", WORK),
    Row("provisioning:mail_alias_change", "GET POST", "mail_alias", WORK),
    Row("provisioning:mail_alias_remove", "GET POST", "mail_alias", WORK),
    Row("provisioning:mail_domain_vouch", "GET POST", "mail_domain", PROVIDER),
    Row("provisioning:record_add", "GET POST", "zone", WORK),
    Row("provisioning:record_change", "GET POST", "record", WORK),
    Row("provisioning:record_remove", "GET POST", "record", WORK),
]

PROVISIONING_API = [
    Row("provisioning_api:servers", "GET POST", "", PROVIDER),
    Row("provisioning_api:server", "GET PATCH", "server", PROVIDER),
    Row("provisioning_api:server_fetch_host_key", "POST", "server", PROVIDER),
    Row("provisioning_api:brand_scans", "GET", "", SELLERS_LOOK),
    Row("provisioning_api:brand_scans", "POST", "", SELLERS),
    Row("provisioning_api:brand_scan", "GET", "scan_of_reseller_a", SELL_LOOK),
    Row("provisioning_api:server_confirm_host_key", "POST", "server", PROVIDER),
    Row("provisioning_api:server_bootstrap", "POST", "server", PROVIDER),
    Row("provisioning_api:server_reconcile", "POST", "server", PROVIDER),
    Row("provisioning_api:server_drift", "GET", "server", PROVIDER),
    Row("provisioning_api:server_drift_checks", "GET", "server", PROVIDER),
    Row("provisioning_api:server_drift_check", "POST", "server", PROVIDER),
    Row("provisioning_api:server_drift_restore", "POST", "server", PROVIDER),
    Row("provisioning_api:server_drift_exceptions", "GET", "server", PROVIDER),
    Row("provisioning_api:drift", "GET", "drift", PROVIDER),
    Row("provisioning_api:drift_restore", "POST", "drift", PROVIDER),
    Row("provisioning_api:drift_adopt", "POST", "drift", PROVIDER),
    Row("provisioning_api:drift_pin", "POST", "drift", PROVIDER),
    Row("provisioning_api:drift_exception", "GET DELETE", "pin", PROVIDER),
    Row("provisioning_api:server_overrule", "POST", "server", PROVIDER),
    Row("provisioning_api:server_rebuild_plan", "POST", "server", PROVIDER),
    Row("provisioning_api:server_rebuild", "POST", "server", PROVIDER),
    Row("provisioning_api:rebuild", "GET", "rebuild", PROVIDER),
    Row("provisioning_api:server_addresses", "GET POST", "server", PROVIDER),
    Row("provisioning_api:server_address", "GET DELETE", "server=server pk=address", PROVIDER),
    Row("provisioning_api:packages", "GET", "", SELLERS_LOOK),
    Row("provisioning_api:packages", "POST", "", SELLERS),
    Row("provisioning_api:package", "GET", "package_of_reseller_a", SELL_LOOK),
    Row("provisioning_api:package", "PATCH DELETE", "package_of_reseller_a", SELL),
    Row("provisioning_api:accounts", "GET", "", PEOPLE),
    Row("provisioning_api:accounts", "POST", "", SELLERS),
    Row("provisioning_api:account", "GET", "account", LOOK),
    Row("provisioning_api:account_suspend", "POST", "account", SELL),
    Row("provisioning_api:account_unsuspend", "POST", "account", SELL),
    Row("provisioning_api:account_rename", "POST", "account", SELL),
    Row("provisioning_api:account_restore", "POST", "account", SELL),
    Row("provisioning_api:account_terminate", "POST", "account", SELL),
    Row("provisioning_api:account_sites", "GET", "account", LOOK),
    Row("provisioning_api:account_zones", "GET", "account", LOOK),
    Row("provisioning_api:account_databases", "GET", "account", LOOK),
    Row("provisioning_api:account_databases", "POST", "account", WORK),
    Row("provisioning_api:account_database_users", "GET", "account", LOOK),
    Row("provisioning_api:account_database_users", "POST", "account", WORK),
    Row("provisioning_api:account_mail_domains", "GET", "account", LOOK),
    Row("provisioning_api:sites", "GET", "", PEOPLE),
    Row("provisioning_api:zones", "GET", "", PEOPLE),
    Row("provisioning_api:databases", "GET", "", PEOPLE),
    Row("provisioning_api:database_users", "GET", "", PEOPLE),
    Row("provisioning_api:mail_domains", "GET", "", PEOPLE),
    Row("provisioning_api:site", "GET", "site", LOOK),
    Row("provisioning_api:site_aliases", "GET", "site", LOOK),
    Row("provisioning_api:site_aliases", "POST", "site", WORK),
    Row("provisioning_api:site_alias", "DELETE", "site=site pk=site_alias", WORK),
    Row("provisioning_api:zone", "GET", "zone", LOOK),
    Row("provisioning_api:zone_records", "GET", "zone", LOOK),
    Row("provisioning_api:zone_records", "POST", "zone", WORK),
    Row("provisioning_api:zone_record", "GET", "zone=zone pk=record", LOOK),
    Row("provisioning_api:zone_record", "PATCH DELETE", "zone=zone pk=record", WORK),
    Row("provisioning_api:database", "GET", "database", LOOK),
    Row("provisioning_api:database", "DELETE", "database", WORK),
    Row("provisioning_api:database_user", "GET", "database_user", LOOK),
    Row("provisioning_api:database_user", "PATCH DELETE", "database_user", WORK),
    Row("provisioning_api:mail_domain", "GET", "mail_domain", LOOK),
    Row("provisioning_api:mail_domain_vouch", "POST", "mail_domain", PROVIDER),
    Row("provisioning_api:mailboxes", "GET", "", PEOPLE),
    Row("provisioning_api:mailboxes", "POST", "", WORKERS),
    Row("provisioning_api:mailbox", "GET", "mailbox", LOOK),
    Row("provisioning_api:mailbox", "PATCH DELETE", "mailbox", WORK),
    Row("provisioning_api:aliases", "GET", "", PEOPLE),
    Row("provisioning_api:aliases", "POST", "", WORKERS),
    Row("provisioning_api:alias", "GET", "mail_alias", LOOK),
    Row("provisioning_api:alias", "PATCH DELETE", "mail_alias", WORK),
    Row("provisioning_api:operations", "GET", "", PEOPLE),
    Row("provisioning_api:operation", "GET", "operation", LOOK),
    Row("provisioning_api:operation_retry", "POST", "operation", WORK),
    Row("provisioning_api:operation_cancel", "POST", "operation", WORK),
    Row("provisioning_api:operation_confirm", "POST", "operation", PROVIDER),
    Row("provisioning_api:server_plan", "POST", "server", PROVIDER),
    Row("provisioning_api:previews", "POST", "", WORKERS),
    Row("provisioning_api:preview", "GET", "preview_of_client_a", OWN),
    Row("provisioning_api:preview_confirm", "POST", "preview_of_client_a", OWN),
]

ROWS = [*SIGN_IN, *DASHBOARD, *ACCOUNTS_PAGES, *ACCOUNTS_API, *PROVISIONING_PAGES, *PROVISIONING_API]
