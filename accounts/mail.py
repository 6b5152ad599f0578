"""The one door by which every mail leaves, in the name of a brand."""

from accounts.services.outgoing_mails import Letter, send, send_all, send_text
from accounts.voice.identity import sender

__all__ = ["Letter", "send", "send_all", "send_text", "sender"]
