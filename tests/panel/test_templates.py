"""Every page template compiles, has no inline code or style, loads nothing from elsewhere and can be translated."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template import engines
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates" / "html"
FILES = sorted(TEMPLATES.rglob("*.html"))
NAMES = [path.relative_to(TEMPLATES).as_posix() for path in FILES]
# First pages of tenants' own sites, and mails, are one file each, so their look is inside them.
PAGES = [path for path in FILES if path.parent.name not in ("sites", "mail")]
PAGE_NAMES = [path.relative_to(TEMPLATES).as_posix() for path in PAGES]
WORD = re.compile(r"[A-Za-z]{2,}")
SAID_ATTRIBUTES = {
    "alt",
    "aria-label",
    "placeholder",
    "title",
    "data-copied",
    "data-copy-failed",
    "data-generated-words",
}
TRANSLATED = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.DOTALL)
COMMENT = re.compile(r"{%\s*comment\b.*?{%\s*endcomment\s*%}", re.DOTALL)
ICON = re.compile(r"""{%\s*icon\s+["']([a-z0-9-]+)["']""")


class Markup(HTMLParser):
    """Collects what a template's own HTML says, once its tags are taken out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.inline_scripts: list[str] = []
        self._script: dict[str, str] | None = None
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._style = tag == "style"
        if tag == "script":
            self._script = {name: value or "" for name, value in attrs}

    def handle_endtag(self, tag: str) -> None:
        self._style = False
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            if self._script.get("type") != "application/json":  # data, which no browser runs
                self.inline_scripts.append(data.strip())
        elif not self._style and WORD.search(data):
            self.words.append(data.strip())


def markup(source: str) -> Markup:
    """Parse a template's HTML without its variables, tags, comments and translated blocks."""
    plain = TRANSLATED.sub("", COMMENT.sub("", source))
    text = "".join(token.contents for token in Lexer(plain).tokenize() if token.token_type == TokenType.TEXT)
    parser = Markup()
    parser.feed(text)
    parser.close()
    return parser


@pytest.mark.parametrize("name", NAMES)
def test_template_compiles(name: str) -> None:
    engines["django"].get_template(name)


@pytest.mark.parametrize("path", PAGES, ids=PAGE_NAMES)
def test_no_inline_code_or_style(path: Path) -> None:
    parsed = markup(path.read_text())
    assert "style" not in parsed.tags
    assert [text for text in parsed.inline_scripts if text] == []
    bad = [
        (tag, name)
        for tag, name, value in parsed.attributes
        if name.startswith(("on", "hx-on")) or name == "style" or value.strip().lower().startswith("javascript:")
    ]
    assert bad == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    loaded = [value for tag, _, value in markup(path.read_text()).attributes if tag != "a"]
    assert [value for value in loaded if re.match(r"\s*(https?:)?//", value)] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_word_can_be_translated(path: Path) -> None:
    parsed = markup(path.read_text())
    assert parsed.words == []
    assert [
        (name, value) for _, name, value in parsed.attributes if name in SAID_ATTRIBUTES and WORD.search(value)
    ] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_value_is_trusted(path: Path) -> None:
    source = path.read_text()
    assert not re.search(r"\|\s*safe(seq)?\b", source)
    assert not re.search(r"{%\s*autoescape\s+off", source)


def test_every_icon_is_built() -> None:
    built = set(json.loads((ROOT / "static" / "assets.json").read_text())["icons"])
    used = {name for path in FILES for name in ICON.findall(path.read_text())}
    code = (ROOT / "panel" / "dashboard").rglob("*.py")
    used |= {name for path in code for name in re.findall(r'icon="([a-z0-9-]+)"', path.read_text())}
    assert used <= built


def test_the_parser_finds_what_it_must() -> None:
    found = markup('<p onclick="x()" style="a">Hello {% translate "there" %}</p><script>x()</script>')
    assert ("p", "onclick", "x()") in found.attributes
    assert found.words == ["Hello"]
    assert found.inline_scripts == ["x()"]


@pytest.mark.parametrize("path", sorted((ROOT / "static").rglob("*.css")), ids=lambda path: path.name)
def test_own_styles_load_nothing_from_elsewhere(path: Path) -> None:
    if "vendor" not in path.parts:
        assert not re.search(r"url\(\s*[\"']?(https?:)?//|@import", path.read_text())
