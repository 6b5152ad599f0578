"""How request bodies are read: JSON as RFC 8259 has it, of text that can be kept and written again."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

_SURROGATE = re.compile(r"[\ud800-\udfff]")


class StrictJSONParser(JSONParser):
    """Refuses NaN and infinities, as its parent does, and halves of surrogate pairs: no database and no answer takes
    such text (RFC 8259, section 8.2).
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body; raises ParseError."""
        try:
            found = super().parse(stream, media_type, parser_context)
            text = json.dumps(found, ensure_ascii=False)
        except RecursionError as error:
            raise ParseError(_("The body is nested too deeply.")) from error
        if _SURROGATE.search(text):
            raise ParseError(_("The body holds half of a surrogate pair, which is no character. Send whole ones."))
        return found
