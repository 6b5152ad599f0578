"""How work in the background fails. Pure, so that transports and the engine's pure parts can use it."""


class Temporary(Exception):
    """Work failed for a reason that passes; the worker tries again."""


class Permanent(Exception):
    """Work cannot succeed as it stands; `message` may be shown to a tenant, `detail` to the provider only."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
