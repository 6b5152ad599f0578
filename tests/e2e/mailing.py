"""Settings of a panel on one machine whose mail leaves by SMTP, as an installation's does, to a port of loopback."""

import os

from panel.settings.embedded import *  # noqa: F403

EMAIL_BACKEND = "accounts.voice.smtp.SmtpBackend"
EMAIL_HOST = "127.0.0.1"
EMAIL_PORT = int(os.environ["HOSTWRIGHT_SMTP_PORT"])
EMAIL_TIMEOUT = 20
