"""Rules of the code that imports cannot show; each is tried on a planted violation first."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

APPS = ("panel", "accounts", "provisioning", "billing")
FACES = re.compile(r"(accounts|provisioning|billing)/(web|api)/")
WRITES = {"save", "delete", "update_or_create", "get_or_create", "asave", "adelete"}
PATTERN_TAKERS = {"compile", "match", "search", "fullmatch", "RegexValidator", "RegexField"}
BANNED_NAMES = {"mark_safe", "AutoAddPolicy", "pickle", "cPickle", "marshal", "shelve"}
BANNED_CALLS = BANNED_NAMES | {"SafeString", "SafeText", "eval", "exec"}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "asyncio.create_subprocess_shell"}
STARTERS = {"run", "Popen", "call", "check_call", "check_output"}

Rule = Callable[[ast.AST], bool]


def called_name(node: ast.AST) -> str:
    """The last word of what a call calls."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def is_shell(node: ast.AST) -> bool:
    """A command line that a shell would read."""
    if not isinstance(node, ast.Call):
        return False
    shell = next((word.value for word in node.keywords if word.arg == "shell"), ast.Constant(value=False))
    asked = ast.unparse(shell) == "True" or (called_name(node) in STARTERS and ast.unparse(shell) != "False")
    return asked or ast.unparse(node.func) in SHELLS


def is_banned_name(node: ast.AST) -> bool:
    """A name that makes data into markup, code or trust."""
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in BANNED_NAMES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return any(alias.name in BANNED_NAMES for alias in node.names) or node.module in BANNED_NAMES
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in BANNED_CALLS
    return isinstance(node, ast.Attribute) and node.attr in BANNED_NAMES


def is_open_pattern(node: ast.AST) -> bool:
    """A validator that ends with `$`, which lets a line feed through: use fullmatch. Reading lines is fine."""
    if called_name(node) not in PATTERN_TAKERS or not isinstance(node, ast.Call) or "MULTILINE" in ast.unparse(node):
        return False
    words = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "regex")]
    return any(isinstance(word, ast.Constant) and str(word.value).endswith("$") for word in words)


def is_write(node: ast.AST) -> bool:
    """A change of the database, or a way round the selectors to it."""
    name = called_name(node)
    if name in WRITES or name.startswith(("bulk_", "abulk_")):
        return True
    return isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}


def breaches(text: str, rule: Rule) -> Iterator[int]:
    """The lines that break a rule."""
    return (getattr(node, "lineno", 0) for node in ast.walk(ast.parse(text)) if rule(node))


def python_files(root: Path, *folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    assert found
    return found


def assert_kept(root: Path, files: list[Path], rule: Rule) -> None:
    broken = [f"{path.relative_to(root)}:{line}" for path in files for line in breaches(path.read_text(), rule)]
    assert not broken, rule.__doc__


@pytest.mark.parametrize("planted", ["subprocess.run(line, shell=True)", "run(x, shell=flag)", "os.system(line)"])
def test_no_command_goes_through_a_shell(request: pytest.FixtureRequest, planted: str):
    assert list(breaches(planted, is_shell))
    assert_kept(request.config.rootpath, python_files(request.config.rootpath, *APPS, "tests"), is_shell)


@pytest.mark.parametrize(
    "planted",
    ["from django.utils.safestring import mark_safe", "import pickle", "paramiko.AutoAddPolicy()", "eval(text)"],
)
def test_nothing_turns_data_into_markup_code_or_trust(request: pytest.FixtureRequest, planted: str):
    assert list(breaches(planted, is_banned_name))
    assert_kept(request.config.rootpath, python_files(request.config.rootpath, *APPS), is_banned_name)


@pytest.mark.parametrize("planted", ["re.compile(r'^[a-z]+$')", "RegexValidator(regex='^a$')"])
def test_no_validator_lets_a_line_feed_through(request: pytest.FixtureRequest, planted: str):
    assert list(breaches(planted, is_open_pattern))
    assert_kept(request.config.rootpath, python_files(request.config.rootpath, *APPS), is_open_pattern)


@pytest.mark.parametrize("planted", ["site.save()", "Site.objects.filter()", "rows.bulk_create(x)", "site.delete()"])
def test_pages_and_api_leave_the_database_to_services_and_selectors(request: pytest.FixtureRequest, planted: str):
    assert list(breaches(planted, is_write))
    root = request.config.rootpath
    faces = [path for path in python_files(root, *APPS) if FACES.match(str(path.relative_to(root)))]
    assert faces
    assert_kept(root, faces, is_write)


def test_no_template_trusts_a_value(request: pytest.FixtureRequest):
    trust = re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off|\{%-?\s*autoescape\s+false")
    assert trust.search("{{ name|safe }}")
    templates = sorted((request.config.rootpath / "templates" / "html").rglob("*.html"))
    assert templates
    assert not [str(path) for path in templates if trust.search(path.read_text())]


def test_the_repository_names_no_package_host_and_no_path_outside_itself(request: pytest.FixtureRequest):
    root = request.config.rootpath
    hosts = [
        "deb" + ".debian.org",
        "snapshot" + ".debian.org",
        "pypi" + ".org",
        "python" + "hosted.org",
        "npm" + "js.org",
    ]
    hosts += ["npm" + "js.com", "hub.docker" + ".com", "registry-1.docker" + ".io", "ghcr" + ".io", "quay" + ".io"]
    paths = [str(root), "/root/" + ".cache", "/opt/" + "wheels", "/opt/" + "pypi"]
    forbidden = re.compile("|".join(map(re.escape, [*hosts, *paths])) + "|(?<![\\w}.])/wo" + "rk/")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    broken = []
    for name in filter(None, listed.split("\0")):
        path = root / name
        if path.is_file() and path.suffix not in {".png", ".woff2"}:
            text = path.read_text(errors="replace")
            broken += [f"{name}: {found.group()}" for found in forbidden.finditer(text)]
    assert not broken
