"""Names that no account may hold: the great mail providers and the special-use domains of the DNS."""

from __future__ import annotations

from panel.core.public_suffixes import is_public_suffix, registrable

__all__ = ["MAIL_PROVIDERS", "SPECIAL_USE", "is_mail_provider", "is_public_suffix", "is_special_use", "registrable"]

MAIL_PROVIDERS = frozenset(
    """
    126.com 163.com aol.com att.net bluewin.ch bt.com btinternet.com comcast.net cox.net daum.net earthlink.net
    fastmail.com fastmail.fm
    free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com
    hotmail.de
    hotmail.fr hotmail.it icloud.com laposte.net libero.it live.com live.de mac.com mail.com mail.ru mailbox.org
    me.com msn.com naver.com
    orange.fr outlook.com outlook.de pm.me posteo.de posteo.net proton.me protonmail.com qq.com rediffmail.com
    rocketmail.com
    sbcglobal.net sfr.fr sina.com t-online.de tuta.com tutanota.com verizon.net wanadoo.fr web.de xs4all.nl
    yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.de yahoo.fr yandex.com yandex.ru ymail.com zoho.com
    """.split()
)

# RFC 6761, RFC 7686, RFC 8375, RFC 9476: names with a meaning of their own, never delegated to a tenant.
SPECIAL_USE = frozenset({"localhost", "local", "onion", "alt", "arpa", "invalid"})


def is_mail_provider(name: str) -> bool:
    return name in MAIL_PROVIDERS or any(name.endswith("." + provider) for provider in MAIL_PROVIDERS)


def is_special_use(name: str) -> bool:
    return name.rpartition(".")[2] in SPECIAL_USE
