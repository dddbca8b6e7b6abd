"""Style as a test: what ruff, mypy and import-linter cannot say about this repository."""

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400

PACKAGES = (
    "adapters",
    "bench",
    "clients/python/loyalty_client",
    "ledger",
    "migrations",
    "projections",
    "rules",
    "server",
)
# Pure packages count points and money, so a float has no business in them.
EXACT = ("ledger/core/", "rules/")
# Modules that something other than an import starts.
ENTRY_POINTS = re.compile(r"__init__|__main__|^server\.cli$|\bmigrations\.(env|versions\..*)$")

VAGUE_NAME = re.compile(r"manager|helper|utils?$|^abstract|^misc", re.IGNORECASE)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
# Where somebody happened to write this; in two parts so that this file does not find itself.
MACHINE_PATH = re.compile("/work" + "/|" + r"/Users/\w")
NAMED_CODE = re.compile(r"\]\(([^)]+\.py)\)\s+`(\w+)`")
MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)


@cache
def tracked() -> tuple[str, ...]:
    """Paths of the files under version control that still exist, generated stubs left out."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    paths = sorted(filter(None, listing.stdout.split("\0")))
    return tuple(path for path in paths if "_pb2" not in path and (ROOT / path).is_file())


@cache
def text(path: str) -> str:
    """Content of a tracked file; empty for a binary one."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: str) -> ast.Module:
    """Syntax tree of a Python file."""
    return ast.parse(text(path))


def python_files() -> list[str]:
    """Tracked Python files."""
    return [path for path in tracked() if path.endswith(".py")]


def module_name(path: str) -> str:
    """Dotted name under which a file is imported."""
    inside = path.removeprefix("clients/python/").removesuffix(".py")
    return inside.replace("/", ".").removesuffix(".__init__")


def imported_names(path: str) -> set[str]:
    """Every dotted name a file may be importing, with each name of a `from` import joined on."""
    names: set[str] = set()
    package = module_name(path).split(".")
    if not path.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            names.add(source)
            names.update(f"{source}.{alias.name}" for alias in node.names)
    return names


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path}:{node.lineno} {node.name} has {length} lines"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    lengths = {path: len(text(path).splitlines()) for path in python_files()}
    assert not {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX}


def test_every_module_says_what_it_is_for() -> None:
    assert not [path for path in python_files() if not ast.get_docstring(tree(path))]


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{path}:{number}"
        for path in tracked()
        if path != "tests/test_style.py"
        for number, line in enumerate(text(path).splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not found


def test_no_name_is_vague() -> None:
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    vague = [path for path in python_files() if VAGUE_NAME.search(Path(path).stem)]
    vague += [
        f"{path}:{node.lineno} {node.name}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, defined) and VAGUE_NAME.search(node.name)
    ]
    assert not vague


def test_no_module_is_left_that_nothing_imports() -> None:
    imported = set().union(*(imported_names(path) for path in python_files()))
    modules = {module_name(path): path for path in python_files() if path.startswith(PACKAGES)}
    unused = [
        path
        for name, path in modules.items()
        if name not in imported and not ENTRY_POINTS.search(name) and "__init__" not in path
    ]
    assert not unused


def test_the_core_imports_nothing_of_the_shell_around_it() -> None:
    # import-linter wants each forbidden module by name; the next file of the shell has none yet.
    shell = [
        f"{path} imports {name}"
        for path in python_files()
        if path.startswith("ledger/core/")
        for name in imported_names(path)
        if re.match(r"ledger\.(?!core\b)", name)
    ]
    assert not shell


def test_no_float_is_made_where_points_and_money_are_counted() -> None:
    floats = [
        f"{path}:{node.lineno}"
        for path in python_files()
        if path.startswith(EXACT)
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")
    ]
    assert not floats


def test_relative_links_in_documents_resolve() -> None:
    broken = [
        f"{path} -> {target}"
        for path in tracked()
        if path.endswith(".md")
        for target in MARKDOWN_LINK.findall(text(path))
        if not re.match(r"[a-z]+:|#", target)
        and not (ROOT / path).parent.joinpath(target.split("#")[0]).exists()
    ]
    assert not broken


def test_what_documents_name_of_a_file_stands_in_it() -> None:
    absent = [
        f"{path} -> {target} {name}"
        for path in tracked()
        if path.endswith(".md")
        for target, name in NAMED_CODE.findall(text(path))
        if not re.search(
            rf"\b(def|class) {name}\b|^{name}\b.*=",
            (ROOT / path).parent.joinpath(target).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]
    assert not absent


def test_the_map_names_every_module() -> None:
    # Nobody guesses from sixty names what a file is for.
    named = set(re.findall(r"\.\./(\w+/\w+\.py)\)", text("docs/MAP.md")))
    modules = {
        path
        for path in python_files()
        if re.fullmatch(r"(ledger|projections|rules|server)/\w+\.py", path)
    }
    modules -= {path for path in modules if path.endswith("__init__.py")}
    assert not modules - named


def test_the_chinese_readme_has_the_same_sections_as_the_english_one() -> None:
    absent = [name for name in ("README.md", "README.zh-CN.md") if not (ROOT / name).is_file()]
    if absent:
        pytest.skip(f"not written yet: {', '.join(absent)}")
    fences = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    english, chinese = (
        len(HEADING.findall(fences.sub("", text(name))))
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert not [path for path in tracked() if MACHINE_PATH.search(text(path))]


def test_the_locks_name_every_package_and_no_place_to_get_it() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    product = project["dependencies"] + extras["demo"]
    wanted = {"requirements.txt": product, "requirements-dev.txt": product + extras["dev"]}
    for lock, requirements in wanted.items():
        locked = set(re.findall(r"^[\w-]+", text(lock), re.MULTILINE))
        named = {re.split(r"[^\w-]", requirement)[0] for requirement in requirements}
        assert not named - locked
        assert not re.search(r"://|/|^-", text(lock), re.MULTILINE)
