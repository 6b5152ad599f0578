"""Why an operation waits or was rejected, and what to do about it, in words for everybody."""

from __future__ import annotations

from django.utils.translation import gettext_noop

REASONS = {
    "check": gettext_noop(
        "The server's own check refused this change. Nothing was changed, and no other site is affected."
    ),
    "foreign": gettext_noop("Something on the server that the panel did not make is in the way. Nothing was changed."),
    "invalid": gettext_noop("A stored value is not fit for a server's configuration. Nothing was changed."),
    "disk_full": gettext_noop(
        "The server's disk is full or can't be written. Nothing was changed. This is tried again by itself."
    ),
    "held": gettext_noop("This would remove unusually much from the server, so it waits for a person to confirm it."),
    "stale": gettext_noop("The server holds newer settings than the panel, so it waits for a person to look."),
}
REASON_UNREACHABLE = gettext_noop("The server can't be reached at the moment. This is tried again by itself.")
REASON_BUSY = gettext_noop("The server can't do this at the moment. This is tried again by itself.")
REASON_LEFT = gettext_noop("The worker ended in the middle; another one carried on.")
REASON_OTHER = gettext_noop("The server could not make this change, so everything was put back as it was.")

REMEDIES = {
    REASONS["check"]: gettext_noop(
        "Look at what was ordered last for this account and correct it; the new order is carried at once. If it looks "
        "right, ask support with this page's address: they see the checker's own words."
    ),
    REASONS["foreign"]: gettext_noop(
        "The provider checks the server for drift: what is in the way is listed there with its content, and can be "
        "removed once somebody has looked at it. A user or a database is only ever removed on the server itself. Then "
        "try again."
    ),
    REASONS["invalid"]: gettext_noop(
        "Change the value that the detail names and save it; the new order is carried at once. If you can't find it, "
        "ask support with this page's address."
    ),
    REASONS["disk_full"]: gettext_noop(
        "Support has to make room on the server's disk; after that it goes on by itself."
    ),
    REASONS["held"]: gettext_noop(
        "The provider looks at what would be removed and confirms it here, or stops waiting and orders it otherwise."
    ),
    REASONS["stale"]: gettext_noop(
        "The provider finds out why: most often the panel's database was restored from a backup. The server's page "
        "says which accounts differ, and what can be done; nothing is removed before somebody decides."
    ),
    REASON_UNREACHABLE: gettext_noop(
        "Nothing has to be done unless it lasts. The provider looks whether the machine runs and answers by SSH."
    ),
    REASON_BUSY: gettext_noop(
        "Nothing has to be done unless it lasts. The provider sees what the server said and looks at the machine."
    ),
    REASON_OTHER: gettext_noop(
        "Try again. If it fails in the same way, ask support with this page's address: they see what the server said."
    ),
}


def remedy(reason: str) -> str:
    """Return what to do about a reason, to be translated; empty for one that says it itself."""
    return REMEDIES.get(reason, "")
