#!/usr/bin/env python3
"""Guards the structure of the source: what a compiler does not see and a reviewer forgets.

    check.py [ROOT]      prints what is wrong as file:line: words; exits 1 if anything is

One function a rule, all of them in RULES at the end. CC names the compiler (default: cc)."""

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# A layer and the layers that it may include, besides itself. Their order is that of the program.
LAYERS = {
    "base": set(),
    "domain": {"base"},
    "net": {"base"},
    "store": {"domain", "base"},
    "pay": {"store", "net", "domain", "base"},
    "jobs": {"pay", "store", "net", "domain", "base"},
    "api": {"pay", "store", "net", "domain", "base"},
    "app": {"jobs", "api", "pay", "store", "net", "domain", "base"},
}
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 100
LINE_COLUMNS_MAX = 100

NOT_OURS = {
    ".git", ".cache", "node_modules", "generated", "__pycache__", "dist", "coverage", "test-results",
}
LOCK_FILES = {"package-lock.json"}
CODE_SUFFIXES = {".c", ".h", ".py", ".mjs", ".js", ".ts", ".tsx", ".css"}


class Problem:
    def __init__(self, path, line, words):
        self.path, self.line, self.words = path, line, words

    def __str__(self):
        return f"{self.path}:{self.line}: {self.words}"


class Skipped(Exception):
    """A rule cannot be checked yet; the reason is shown and is no failure."""


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


class Source:
    """A C file, taken apart: `code` is the text with comments and the insides of literals blanked
    out, of the same length; `comments` and `strings` are (offset, text) of what was taken out."""

    TOKENS = re.compile(
        r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL
    )

    def __init__(self, root, path):
        self.name = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.comments, self.strings = [], []
        self.code = self.TOKENS.sub(self._take_out, self.text)

    def _take_out(self, match):
        token = match[0]
        if token.startswith("/"):
            self.comments.append((match.start(), token))
            return re.sub(r"[^\n]", " ", token)
        if token.startswith("'"):
            return "'" + " " * (len(token) - 2) + "'"
        line_start = self.text.rfind("\n", 0, match.start()) + 1
        if not re.match(r"\s*#\s*include\b", self.text[line_start : match.start()]):
            self.strings.append((match.start(), token[1:-1]))
        # Lines go on inside a literal only after a backslash; they must stay lines.
        return '"' + re.sub(r"[^\n]", " ", token[1:-1]) + '"'

    def line(self, offset):
        return line_at(self.text, offset)

    def texts(self):
        """The texts that the compiler makes of adjacent literals, macros between them left out: for
        each a list of (offset, part)."""
        group, end = [], 0
        for offset, part in self.strings:
            if group and not re.fullmatch(r"[\s\w]*", self.code[end:offset].replace("\\\n", "")):
                yield group
                group = []
            group.append((offset, part))
            end = offset + len(part) + 2
        if group:
            yield group

    def functions(self):
        """(name, first line, last line) of each function with a body."""
        code = re.sub(
            r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
            lambda m: re.sub(r"[^\n]", " ", m[0]),
            self.code,
            flags=re.MULTILINE,
        )
        depth = start = 0
        head = body = None
        for match in re.finditer(r"[{};]", code):
            at, char = match.start(), match[0]
            if char == "{":
                if depth == 0:
                    head = code[start:at]
                    body = head.rstrip().endswith(")") and "=" not in head
                depth += 1
                continue
            if char == "}":
                depth -= 1
                if depth == 0 and body:
                    first = start + len(head) - len(head.lstrip())
                    name = re.search(r"(\w+)\s*\(", head)
                    yield name[1] if name else "?", self.line(first), self.line(at)
            if depth == 0:
                start, body = at + 1, None


class Tree:
    def __init__(self, root):
        self.root = root
        self._sources = {}

    def files(self, *folders):
        """Every file of ours below the folders (or below the root), in a fixed order."""
        tops = [self.root / f for f in folders] if folders else [self.root]
        for top in tops:
            for folder, names, files in os.walk(top):
                here = Path(folder)
                names[:] = sorted(
                    n
                    for n in names
                    if n not in NOT_OURS and not (here == self.root and n.startswith("build"))
                )
                for name in sorted(files):
                    if name not in LOCK_FILES:
                        yield here / name

    def sources(self, *folders):
        for path in self.files(*folders):
            if path.suffix in (".c", ".h"):
                if path not in self._sources:
                    self._sources[path] = Source(self.root, path)
                yield self._sources[path]

    def name(self, path):
        return path.relative_to(self.root).as_posix()


def layer_of(name):
    """src/api/cart.c -> api"""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else None


def check_includes(tree):
    """An include points only downward, and is written from src/."""
    pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]*)"', re.MULTILINE)
    for source in tree.sources("src"):
        layer = layer_of(source.name)
        if layer not in LAYERS:
            yield Problem(source.name, 1, "belongs to no layer")
            continue
        for match in pattern.finditer(source.text):
            if source.code[match.start() : match.start(1)].strip() == "":
                continue  # inside a comment
            header, line = match[1], source.line(match.start(1))
            target = header.split("/")[0] if "/" in header else None
            if target not in LAYERS:
                yield Problem(source.name, line, f'include "{header}" is not written from src/')
            elif target != layer and target not in LAYERS[layer]:
                yield Problem(source.name, line, f'{layer} must not include "{header}"')


STATEMENTS = (
    r"SELECT\s",
    r"INSERT\s+(?:OR\s+\w+\s+)?INTO\s",
    r"UPDATE\s+\w+\s+SET\s",
    r"DELETE\s+FROM\s",
    r"REPLACE\s+INTO\s",
    r"WITH\s+(?:RECURSIVE\s+)?\w+\s*(?:\([^)]*\)\s*)?AS\s*\(",
    r"(?:CREATE|DROP|ALTER)\s+(?:UNIQUE\s+)?(?:TABLE|INDEX)\s",
    r"PRAGMA\s",
)
# Upper or lower case, but not an English sentence that begins with "Select".
SQL = re.compile(r"\s*(?:" + "|".join(STATEMENTS + tuple(s.lower() for s in STATEMENTS)) + ")")


def joined(group):
    return "".join(part for _, part in group).replace("\\n", "  ")


def check_sql_place(tree):
    """SQL is only in src/store."""
    for source in tree.sources("src"):
        if layer_of(source.name) == "store":
            continue
        for group in source.texts():
            if SQL.match(joined(group)):
                yield Problem(source.name, source.line(group[0][0]), "SQL outside src/store")


CAST = re.compile(r"""[\w)\]'"]\s*::\s*[A-Za-z]""")
LOCKING = re.compile(r"\w\W+FOR\s+(?:NO\s+KEY\s+)?(?:UPDATE|SHARE)\b", re.IGNORECASE)
BARE_EXISTS = re.compile(r"(?:\bSELECT|,)\s+(?:NOT\s+)?EXISTS\b", re.IGNORECASE)


def check_sql_dialect(tree):
    """One SQL text for all engines: no :: casts (SQLite silently binds NULL), no FOR UPDATE, no
    column that is a number on one engine and a boolean on another."""
    texts = []
    for source in tree.sources("src/store"):
        for group in source.texts():
            texts.append((source.name, source.line(group[0][0]), joined(group)))
    for path in tree.files("migrations"):
        if path.suffix == ".sql":
            sql = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
            for number, statement_line in enumerate(sql.split("\n"), start=1):
                texts.append((tree.name(path), number, statement_line))
    for name, line, text in texts:
        if CAST.search(text):
            yield Problem(name, line, "a `::` cast in SQL; write CAST(… AS …)")
        if LOCKING.search(text):
            yield Problem(name, line, "FOR UPDATE in SQL; make the UPDATE conditional")
        if BARE_EXISTS.search(text):
            yield Problem(name, line, "a column EXISTS; write CASE WHEN EXISTS (…) THEN 1 ELSE 0 END")


def call_arguments(code, start):
    """The arguments of a call whose parenthesis was opened before `start`: (offset, text) of each."""
    arguments, depth, begun = [], 1, start
    for match in re.finditer(r"[(){},]", code[start:]):
        char, at = match[0], start + match.start()
        depth += (char in "({") - (char in ")}")
        if depth == 0 or (char == "," and depth == 1):
            arguments.append((begun, code[begun:at]))
            begun = at + 1
        if depth == 0:
            break
    return arguments


def check_sql_posts(tree):
    """Nobody reads the rows of a post or a late, and one whose count is checked gets a RETURNING of the
    PostgreSQL engine's (make_checked): it changes rows, and has none of its own."""
    for source in tree.sources("src/store"):
        texts = list(re.finditer(r"\b(\w+)\[\]\s*=([^,;]*)[,;]", source.code))
        for call in re.finditer(r"\btx_(?:post|late)\(", source.code):
            arguments = call_arguments(source.code, call.end())
            if len(arguments) != 4 or arguments[0][1].startswith("struct "):
                continue  # where the verb itself is
            sql = arguments[2][1]
            found = {}
            for text in texts:
                if text.end() < call.start() and re.search(rf"\b{text[1]}\b", sql):
                    found[text[1]] = text
            if not found and "->" not in sql:
                yield Problem(source.name, source.line(call.start()), "its SQL is not beside it")
            for name, text in found.items():
                words = source.text[text.start(2) : text.end(2)]
                line = source.line(text.start())
                if "RETURNING" in words:
                    yield Problem(source.name, line, f"{name} is posted and has a RETURNING")
                verb = re.match(r'\s*"(?:INSERT|UPDATE|DELETE)\s', words)
                if not verb and arguments[1][1].strip() != "SQL_ANY_COUNT":
                    yield Problem(source.name, line, f"{name} is counted and changes no rows")


def check_headers(tree):
    """Every header compiles alone, twice in one file too."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    flags += shlex.split(
        subprocess.run(["pkg-config", "--cflags", "libpq"], text=True, capture_output=True).stdout
    )
    src = tree.root / "src"
    headers = [p for p in tree.files("src") if p.suffix == ".h"]

    def compile_alone(path):
        line = f'#include "{path.relative_to(src).as_posix()}"\n'
        return subprocess.run(
            [*compiler, *flags, "-I", str(src), "-x", "c", "-"],
            input=line * 2,
            text=True,
            capture_output=True,
            check=False,
        )

    with ThreadPoolExecutor(max_workers=2) as pool:
        for path, result in zip(headers, pool.map(compile_alone, headers)):
            if result.returncode != 0:
                name = tree.name(path)
                where = re.search(re.escape(str(path)) + r":(\d+):\d+: (.*)", result.stderr)
                line, words = (where[1], where[2]) if where else (1, result.stderr.strip())
                yield Problem(name, line, f"the header does not stand alone: {words}")


def check_sizes(tree):
    """What grows past these sizes is two things."""
    for path in tree.files("src", "tests", "web", "script", "bench", "fuzz"):
        if path.suffix in CODE_SUFFIXES:
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > FILE_LINES_MAX:
                yield Problem(tree.name(path), lines, f"{lines} lines, at most {FILE_LINES_MAX}")
    for source in tree.sources("src", "tests", "bench", "fuzz"):
        for number, line in enumerate(source.text.splitlines(), 1):
            if len(line) > LINE_COLUMNS_MAX and "/peers/" not in source.name:
                words = f"{len(line)} columns, at most {LINE_COLUMNS_MAX}"
                yield Problem(source.name, number, words)
        for name, first, last in source.functions():
            lines = last - first + 1
            if lines > FUNCTION_LINES_MAX:
                words = f"{name} has {lines} lines, at most {FUNCTION_LINES_MAX}"
                yield Problem(source.name, first, words)


# Not in quotes: the last one is also the code of no currency.
MARKS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b(?!')")


def check_marks(tree):
    """What is left to do is an issue and not a comment. In C only comments count."""
    for path in tree.files():
        name = tree.name(path)
        if path.suffix in (".c", ".h"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or the like
        for match in MARKS.finditer(text):
            yield Problem(name, line_at(text, match.start()), f"{match[1]} left behind")
    for source in tree.sources():
        for offset, comment in source.comments:
            for match in MARKS.finditer(comment):
                line = source.line(offset + match.start())
                yield Problem(source.name, line, f"{match[1]} left behind")


def enums(text):
    """The enums of a YAML text: for each its members as {value: line}."""
    for match in re.finditer(r"^([ \t]*)(?:- )?enum:[ \t]*(?:#[^\n]*)?\n?", text, re.MULTILINE):
        rest = text[match.end() :]
        if rest.lstrip().startswith("["):
            block = rest[: rest.find("]") + 1]
        else:
            block = re.match(r"(?:[ \t]*(?:-[ \t]|#)[^\n]*(?:\n|$)|[ \t]*\n)*", rest)[0]
        members = {}
        for word in re.finditer(r"(?m)[\w.-]+", re.sub(r"#[^\n]*", lambda m: " " * len(m[0]), block)):
            if word[0] != "-":
                members[word[0]] = line_at(text, match.end() + word.start())
        yield members


def check_problem_codes(tree):
    """The codes of base/problem.h and those of the enum in docs/openapi.yaml are the same."""
    header, spec = tree.root / "src/base/problem.h", tree.root / "docs/openapi.yaml"
    if not spec.exists():
        raise Skipped("docs/openapi.yaml does not exist yet")
    text = header.read_text(encoding="utf-8")
    codes = {}
    for match in re.finditer(r"^\s*X\((\w+),\s*(\w+),", text, re.MULTILINE):
        line = line_at(text, match.start(1))
        codes[match[2]] = line
        if match[2] != match[1].lower():
            words = f"the code {match[2]} is not its name {match[1]} in lower case"
            yield Problem(tree.name(header), line, words)
    if not codes:
        yield Problem(tree.name(header), 1, "no problem codes found")
        return
    # Other enums of the document may hold a few of the codes; the list is the one that most share.
    spec_text = spec.read_text(encoding="utf-8")
    documented = max(enums(spec_text), key=lambda e: len(e.keys() & codes.keys()), default={})
    for code in sorted(codes.keys() - documented.keys()):
        yield Problem(tree.name(header), codes[code], f"{code} is not in docs/openapi.yaml")
    for code in sorted(documented.keys() - codes.keys()):
        words = f"{code} is not in src/base/problem.h"
        yield Problem(tree.name(spec), documented[code], words)


def check_migrations(tree):
    """0001-NAME.sql, 0002-NAME.sql and so on, without a gap."""
    number = 0
    for path in tree.files("migrations"):
        match = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.sql", path.name)
        if not match:
            yield Problem(tree.name(path), 1, "a migration is called NNNN-name.sql")
            continue
        if int(match[1]) != number + 1:
            yield Problem(tree.name(path), 1, f"should be number {number + 1:04}")
        number = int(match[1])


OPERATIONS = "docs/operations.md"
LEVEL = r"LOG_(?:DEBUG|INFO|WARN|ERROR)"
LEVEL_AND_EVENT = re.compile(rf'\b({LEVEL}(?:\s*:\s*{LEVEL})?)\s*,\s*"(\w+)"')


def table_rows(text, heading):
    """(line, cells) of each row of the first table below a heading that holds these words."""
    start = text.find(heading)
    table = re.search(r"^\|[^\n]*\n\|[ :|-]+\n((?:\|[^\n]*\n)*)", text[start:], re.MULTILINE)
    if start < 0 or not table:
        return
    line = line_at(text, start + table.start(1))
    for offset, row in enumerate(table[1].splitlines()):
        yield line + offset, [cell.strip() for cell in row.strip("|").split(" | ")]


def log_lines(tree):
    """What the program logs: {event: ({levels}, file, line)}."""
    events = {}
    for source in tree.sources("src"):
        for match in LEVEL_AND_EVENT.finditer(source.text):
            if not source.code.startswith("LOG_", match.start()):
                continue  # in a comment
            levels, _, _ = events.setdefault(
                match[2], (set(), source.name, source.line(match.start()))
            )
            levels.update(word.lower() for word in re.findall(r"LOG_(\w+)", match[1]))
    return events


def check_log_lines(tree):
    """docs/operations.md has a row for every log line: event, its levels, and more."""
    path = tree.root / OPERATIONS
    if not path.exists():
        raise Skipped(f"{OPERATIONS} does not exist yet")
    documented = {}
    for line, cells in table_rows(path.read_text(encoding="utf-8"), "## Log lines"):
        if len(cells) != 4 or not all(cells):
            yield Problem(OPERATIONS, line, "a log line has event, level, meaning, what to do")
            continue
        documented[cells[0].strip("`")] = line, set(cells[1].split(", "))
    events = log_lines(tree)
    for event, (levels, name, line) in sorted(events.items()):
        if event not in documented:
            yield Problem(name, line, f"the log line {event} is not in {OPERATIONS}")
        elif documented[event][1] != levels:
            words = f"{event} is logged as {', '.join(sorted(levels))}"
            yield Problem(OPERATIONS, documented[event][0], words)
    for event in sorted(documented.keys() - events.keys()):
        yield Problem(OPERATIONS, documented[event][0], f"{event} is logged nowhere")


def definitions(source):
    """The constants of a header as they are written: {name: expression}."""
    found = {}
    define = re.compile(r"^[ \t]*#[ \t]*define[ \t]+([A-Z]\w+)[ \t]+(\S[^\n]*)", re.MULTILINE)
    for match in define.finditer(source.code):
        found[match[1]] = match[2]
    for enum in re.finditer(r"\benum\s*\w*\s*\{([^}]*)\}", source.code):
        for member in enum[1].split(","):
            name, equals, value = member.partition("=")
            if equals:
                found[name.strip()] = value
    for name, value in found.items():
        value = " ".join(value.split())
        inner = re.fullmatch(r"\(([^()]*)\)|INT64_C\((\d+)\)", value)
        found[name] = (inner[1] or inner[2]) if inner else value
    return found


def check_limits(tree):
    """docs/operations.md names the limits with their values: all of the domain's, and others."""
    path, header = tree.root / OPERATIONS, "src/domain/limits.h"
    if not path.exists() or not (tree.root / header).exists():
        raise Skipped(f"{OPERATIONS} or {header} does not exist yet")
    known, domain = {}, {}
    for source in tree.sources("src"):
        if source.name.endswith(".h"):
            known.update(definitions(source))
        if source.name == header:
            domain = definitions(source)
    documented = set()
    for line, cells in table_rows(path.read_text(encoding="utf-8"), "## Limits"):
        name, value = (cell.strip("`") for cell in cells[:2])
        documented.add(name)
        if known.get(name) != value:
            yield Problem(OPERATIONS, line, f"{name} is {known.get(name, 'not defined')}")
    for name in sorted(domain.keys() - documented):
        yield Problem(header, 1, f"the limit {name} is not in {OPERATIONS}")


def blanked(pattern, text):
    """The text without what is like the pattern, each line where it was."""
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)


def check_styles(tree):
    """Colours are in tokens.css alone, each token is used, and each class is one that a page has."""
    styles = {
        tree.name(path): blanked(r"/\*.*?\*/|'[^']*'", path.read_text(encoding="utf-8"))
        for path in tree.files("web/styles")
    }
    pages = "".join(
        path.read_text(encoding="utf-8")
        for path in tree.files("web")
        if path.suffix in (".ts", ".tsx", ".html")
    )
    words = set(re.findall(r"[A-Za-z][\w-]*", pages))
    values = "".join(re.findall(r"var\([^)]*\)", "".join(styles.values())))
    used = set(re.findall(r"--\w[\w-]*", pages + values))
    for name, text in styles.items():
        for match in re.finditer(r"\.([a-zA-Z][\w-]*)", blanked(r"\{[^{}]*\}", text)):
            word = match[1]
            if word not in words and not word.startswith("u-"):  # those are uPlot's
                yield Problem(name, line_at(text, match.start()), f"no page has the class {word}")
        if name.endswith("/tokens.css"):
            for match in re.finditer(r"(--\w[\w-]*)\s*:", text):
                if match[1] not in used:
                    line = line_at(text, match.start())
                    yield Problem(name, line, f"nothing uses {match[1]}")
            continue
        for match in re.finditer(r":[^;{}]*?(#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\()", text):
            line = line_at(text, match.start(1))
            yield Problem(name, line, "a colour outside of tokens.css")


def addresses(tree, name, below=""):
    """The addresses that a file of pages shows, as src/api/routes.c writes them."""
    path = tree.root / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for match in re.finditer(r'<Route path="([^"*]*)"', text):
        address = re.sub(r":(\w+)", r"{\1}", below + match[1])
        yield address.rstrip("/") or "/"


def check_addresses(tree):
    """The server answers with the pages where they show something, and nowhere else."""
    app, staff, routes = "web/src/app.tsx", "web/src/admin/pages.tsx", "src/api/routes.c"
    shown = dict.fromkeys(addresses(tree, app), app)
    shown.update(dict.fromkeys(addresses(tree, staff, "/admin"), staff))
    served = {}
    row = re.compile(r'HTTP_GET, "([^"]*)"[^}]*\}[^}]*\bpage_get\b')
    for source in tree.sources("src/api"):
        if source.name == routes:
            for match in row.finditer(source.text):
                served[match[1]] = source.line(match.start())
    for address in sorted(shown.keys() - served.keys()):
        yield Problem(shown[address], 1, f"{address} is not in {routes}")
    for address in sorted(served.keys() - shown.keys()):
        yield Problem(routes, served[address], f"no page shows {address}")


RULES = [
    check_includes,
    check_sql_place,
    check_sql_dialect,
    check_sql_posts,
    check_headers,
    check_sizes,
    check_marks,
    check_problem_codes,
    check_migrations,
    check_log_lines,
    check_limits,
    check_styles,
    check_addresses,
]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    if not (root / "src").is_dir():
        sys.exit(f"check.py: {root} has no src")
    tree = Tree(root)
    problems = []
    for rule in RULES:
        try:
            problems += rule(tree)
        except Skipped as reason:
            print(f"{rule.__name__} skipped: {reason}")
    for problem in problems:
        print(problem)
    print(f"{len(RULES)} rules, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
