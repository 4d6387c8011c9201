#!/usr/bin/env python3
"""Tests the guard itself: a good tree passes, and each way to break a rule is found at its line."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).with_name("check.py")

GOOD = {
    "src/base/problem.h": """\
#ifndef PROBLEM_H
#define PROBLEM_H
#define PROBLEM_CODES(X) \\
    X(NOT_FOUND, not_found, 404, "There is nothing here") \\
    X(CART_FULL, cart_full, 409, "The cart is full")
#endif
""",
    "src/base/err.h": "#ifndef ERR_H\n#define ERR_H\nenum err { ERR_OK };\n#endif\n",
    "src/domain/cart.h": '#ifndef CART_H\n#define CART_H\n#include "base/err.h"\n'
    "enum err cart_check(int n);\n#endif\n",
    "src/domain/cart.c": '#include "domain/cart.h"\n\n#include <stddef.h>\n\n'
    "/* #include \"api/cart.h\" and :: and SELECT x FROM y, in a comment */\n"
    "enum err cart_check(int n)\n{\n    return n > 0 ? ERR_OK : ERR_OK;\n}\n",
    "src/store/cart.c": '#include "domain/cart.h"\n\n'
    'static const char find[] = "SELECT id, a, \'12:30\' FROM cart "\n'
    '                           "WHERE id = $1";\n'
    "static const char refused[] = \"::\";\n"
    "const char *cart_sql(void);\nconst char *cart_sql(void)\n{\n"
    "    return *refused ? find : refused;\n}\n",
    "src/api/cart.c": '#include "store/cart.h"\n'
    'static const char *const words[] = {"Select a dish from the menu", "DELETE", "[::1]:8080",\n'
    '                                    "Update your cart", "PUT"};\n',
    "src/store/cart.h": "#ifndef STORE_CART_H\n#define STORE_CART_H\n#endif\n",
    "src/app/main.c": '#include "api/cart.h"\n#include "jobs/sweeper.h"\n#include "net/http.h"\n',
    "src/api/cart.h": "#ifndef API_CART_H\n#define API_CART_H\n#endif\n",
    "src/jobs/sweeper.h": "#ifndef SWEEPER_H\n#define SWEEPER_H\n#endif\n",
    "src/net/http.h": "#ifndef HTTP_H\n#define HTTP_H\n#endif\n",
    "migrations/0001-shop.sql": "-- no :: here\nCREATE TABLE shop (id BIGINT);\n",
    "migrations/0002-more.sql": "CREATE TABLE more (id BIGINT);\n",
    "src/domain/limits.h": "#ifndef LIMITS_H\n#define LIMITS_H\n"
    "enum {\n    NAME_MAX = 100, /* characters */\n    BODY_MAX = 64 * 1024,\n};\n"
    "#define STOCK_MAX INT64_C(1000)\n#define HOLD_MS (5 * MINUTE_MS) /* of a plate */\n#endif\n",
    "src/base/log.c": "/* log_line(LOG_INFO, \"example\") */\n"
    'static void say(int bad)\n{\n    log_line(bad ? LOG_ERROR : LOG_INFO, "request");\n'
    '    tell(LOG_WARN, "mail_retried", bad);\n}\n',
    "docs/operations.md": "# Operations\n\n## Limits\n\nWords.\n\n| Limit | Value | Of what |\n"
    "| --- | --- | --- |\n| `NAME_MAX` | `100` | x |\n| `BODY_MAX` | `64 * 1024` | x |\n"
    "| `STOCK_MAX` | `1000` | x |\n| `HOLD_MS` | `5 * MINUTE_MS` | x |\n\n## Log lines\n\n"
    "| Event | Level | Meaning | What to do |\n| --- | --- | --- | --- |\n"
    "| `mail_retried` | warn | a | b |\n| `request` | error, info | a | b |\n",
    "docs/openapi.yaml": "components:\n  schemas:\n    Role:\n      enum: [user, admin]\n"
    "    Code:\n      type: string\n      enum:\n        - not_found\n        - cart_full # 409\n"
    "    Next:\n      type: string\n",
}


class CheckTest(unittest.TestCase):
    def run_check(self, changes):
        """The checker's lines for the good tree with some files changed (None: removed)."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**GOOD, **changes}.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(text, bytes):
                    path.write_bytes(text)
                elif text is not None:
                    path.write_text(text, encoding="utf-8")
            result = subprocess.run(
                [sys.executable, CHECK, folder],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "CC": os.environ.get("CC", "cc")},
            )
        self.assertEqual(result.stderr, "")
        lines = result.stdout.splitlines()
        self.assertEqual(result.returncode, 0 if lines[-1].endswith(" 0 problems") else 1)
        return lines[:-1]

    def assert_good(self, changes):
        self.assertEqual(self.run_check(changes), [])

    def assert_found(self, changes, *starts):
        """Exactly these problems, each given by how its line begins."""
        lines = self.run_check(changes)
        self.assertEqual(len(lines), len(starts), lines)
        for line, start in zip(lines, starts):
            self.assertTrue(line.startswith(start), f"{line!r} does not begin with {start!r}")

    def test_good_tree(self):
        self.assert_good({})

    def test_folders_of_others_are_not_looked_at(self):
        self.assert_good(
            {
                "web/node_modules/x/a.js": "// FIX" + "ME\n" * 1000,
                "build/x.c": "/* TO" + "DO */",
                "web/generated/api.ts": "\n" * 1000,
                "tests/package-lock.json": '"sha512-X' + 'XX+TO' + 'DO/"\n' * 1000,
                "web/logo.png": b"\x89PNG\xff\xfe TO" + b"DO ",
            }
        )

    def test_every_forbidden_include(self):
        layers = ["base", "domain", "net", "store", "jobs", "api", "app"]
        allowed = {
            "base": "base",
            "domain": "base domain",
            "net": "base net",
            "store": "base domain store",
            "jobs": "base domain net store jobs",
            "api": "base domain net store api",
            "app": "base domain net store jobs api app",
        }
        for layer in layers:
            text = "".join(f'#include "{target}/x.h"\n' for target in layers)
            wrong = [n for n, target in enumerate(layers, 1) if target not in allowed[layer].split()]
            self.assert_found(
                {f"src/{layer}/probe.c": text}, *(f"src/{layer}/probe.c:{n}: " for n in wrong)
            )

    def test_include_not_from_src(self):
        self.assert_found(
            {"src/domain/x.c": '#include "cart.h"\n\n# include "../base/err.h"\n'},
            'src/domain/x.c:1: include "cart.h" is not written from src/',
            'src/domain/x.c:3: include "../base/err.h" is not written from src/',
        )

    def test_unknown_layer(self):
        self.assert_found({"src/util/x.c": "\n"}, "src/util/x.c:1: belongs to no layer")
        self.assert_found({"src/x.c": "\n"}, "src/x.c:1: belongs to no layer")

    def test_sql_outside_store(self):
        for sql in (
            "SELECT 1",
            "  INSERT INTO x VALUES (1)",
            "INSERT OR REPLACE INTO x VALUES (1)",
            "UPDATE x SET y = 1",
            "DELETE FROM x",
            "select id from x",
            "update x set y = 1",
            "WITH y AS (SELECT 1) SELECT * FROM y",
            "CREATE UNIQUE INDEX i ON x (y)",
            "PRAGMA user_version",
        ):
            text = f'/* a\n b */\nconst char *sql = "{sql}";\n'
            self.assert_found({"src/api/x.c": text}, "src/api/x.c:3: SQL outside src/store")

    def test_sql_in_pieces_outside_store(self):
        text = 'f("UPDATE "\n  TABLE\n  "x SET y = 1");\n'
        self.assert_found({"src/jobs/x.c": text}, "src/jobs/x.c:1: SQL outside src/store")
        self.assert_good({"src/jobs/x.c": 'f("UPDATE ", "x SET y = 1");\n'})

    def test_casts_in_sql(self):
        for sql in ("SELECT $1::bigint", "SELECT x::text", "SELECT (a)::int", "SELECT 'a'::date"):
            self.assert_found(
                {"src/store/x.c": f'\nconst char *sql = "{sql}";\n'}, "src/store/x.c:2: a `::` cast"
            )
        self.assert_found(
            {"src/store/x.c": '#define COLUMNS "id, total::text"\n'}, "src/store/x.c:1: a `::` cast"
        )
        self.assert_found(
            {"migrations/0002-more.sql": "-- a\nCREATE TABLE x (y BIGINT DEFAULT '1'::bigint);\n"},
            "migrations/0002-more.sql:2: a `::` cast",
        )

    def test_locking_in_sql(self):
        for words in ("FOR UPDATE", "for update", "FOR\\n UPDATE", 'FOR "\n"UPDATE', "FOR SHARE"):
            self.assert_found(
                {"src/store/x.c": f'\n\nconst char *sql = "SELECT id FROM x {words}";\n'},
                "src/store/x.c:3: FOR UPDATE in SQL",
            )
        self.assert_found(
            {"migrations/0002-more.sql": "SELECT id FROM x FOR UPDATE;\n"},
            "migrations/0002-more.sql:1: FOR UPDATE in SQL",
        )

    def test_exists_as_a_column(self):
        for words in ("SELECT EXISTS (", "SELECT id, EXISTS(", 'SELECT id, " "NOT EXISTS ('):
            self.assert_found(
                {"src/store/x.c": f'\n\nconst char *sql = "{words}SELECT 1 FROM x)";\n'},
                "src/store/x.c:3: a column EXISTS",
            )

    def test_header_that_needs_another(self):
        text = "#ifndef X_H\n#define X_H\n\nenum err f(size_t n);\n#endif\n"
        self.assert_found(
            {"src/net/x.h": text}, "src/net/x.h:4: the header does not stand alone: error: "
        )

    def test_header_without_a_guard(self):
        self.assert_found(
            {"src/net/x.h": "struct x {\n    int y;\n};\n"},
            "src/net/x.h:1: the header does not stand alone: error: redefinition",
        )

    def test_long_file(self):
        self.assert_good({"src/net/x.c": "\n" * 700, "web/x.ts": "\n" * 700})
        self.assert_found({"src/net/x.c": "\n" * 701}, "src/net/x.c:701: 701 lines, at most 700")
        self.assert_found({"web/x.ts": "\n" * 701}, "web/x.ts:701: 701 lines, at most 700")
        self.assert_good({"src/net/x.c": f"/* {'é' * 94} */\n"})
        self.assert_found({"src/net/x.c": f"\n/* {'é' * 95} */\n"},
                          "src/net/x.c:2: 101 columns, at most 100")

    @staticmethod
    def function(lines):
        # Braces in a comment, a literal and a directive are no blocks.
        head = "/* } */\n#define BEGIN {\n\nstatic int g(const char *s,\n             int n)\n{\n"
        return head + '    s = "}{";\n' + "    n++; /* { */\n" * (lines - 7) + "    if (n) {\n    }\n}\n"

    def test_long_function(self):
        after = "\nint h(void)\n{\n    return 0;\n}\n"
        self.assert_good({"src/net/x.c": self.function(100) + after})
        self.assert_found(
            {"src/net/x.c": self.function(101) + after},
            "src/net/x.c:4: g has 101 lines, at most 100",
        )
        self.assert_found(
            {"tests/net/test_x.c": after + self.function(150)},
            "tests/net/test_x.c:9: g has 150 lines, at most 100",
        )

    def test_long_table_is_no_function(self):
        rows, members = "    {1, 2},\n" * 200, "    int a;\n" * 200
        self.assert_good(
            {
                "src/net/x.c": f"static const struct p t[] = {{\n{rows}}};\n",
                "src/net/y.c": f"struct p {{\n{members}}};\n",
            }
        )

    def test_marks(self):
        for mark in ("TO" + "DO", "FIX" + "ME", "X" * 3):
            self.assert_found(
                {"src/net/x.c": f"int x;\n/* a\n * {mark}: b */\n"}, f"src/net/x.c:3: {mark} left"
            )
            self.assert_found(
                {"script/x": f"#!/bin/sh\n# {mark}\n"}, f"script/x:2: {mark} left"
            )
            self.assert_found({"README.md": f"{mark}\n"}, f"README.md:1: {mark} left")
            self.assert_good({"src/net/x.c": f'f("{mark}");\n', "script/x": f"{mark}{mark}\n"})
            self.assert_good({"web/x.ts": f"f('{mark}');\n"})

    def test_problem_codes_differ(self):
        spec = GOOD["docs/openapi.yaml"]
        self.assert_found(
            {"docs/openapi.yaml": spec.replace("        - cart_full # 409\n", "")},
            "src/base/problem.h:5: cart_full is not in docs/openapi.yaml",
        )
        self.assert_found(
            {"docs/openapi.yaml": spec.replace("- cart_full", "- cart_full\n        - too_much")},
            "docs/openapi.yaml:10: too_much is not in src/base/problem.h",
        )
        self.assert_found(
            {"docs/openapi.yaml": "openapi: 3.1.0\n"},
            "src/base/problem.h:5: cart_full is not in docs/openapi.yaml",
            "src/base/problem.h:4: not_found is not in docs/openapi.yaml",
        )

    def test_problem_codes_in_other_yaml(self):
        for enum in (
            "[not_found, cart_full]",
            "[\n      not_found,\n      cart_full,\n    ]",
            "\n    - \"not_found\"\n    # of the cart\n    - 'cart_full'",
        ):
            self.assert_good({"docs/openapi.yaml": f"Code:\n    enum: {enum}\nNext:\n  enum: [a]\n"})

    def test_problem_code_is_not_its_name(self):
        text = GOOD["src/base/problem.h"].replace("CART_FULL,", "CART_TOO_FULL,")
        self.assert_found(
            {"src/base/problem.h": text}, "src/base/problem.h:5: the code cart_full is not its name"
        )

    def test_no_openapi_yet(self):
        self.assertEqual(
            self.run_check({"docs/openapi.yaml": None}),
            ["check_problem_codes skipped: docs/openapi.yaml does not exist yet"],
        )

    def test_posts(self):
        def post(sql, count="1", verb="post", name="sql"):
            call = f"tx_{verb}(tx, {count}, {name}, A(b, c))"
            texts = f'other[] = "DELETE FROM x RETURNING id", sql[] =\n    "{sql}";\n'
            function = f"enum err f(struct tx *tx)\n{{\n    return {call};\n}}\n"
            return {"src/store/x.c": "static const char " + texts + function}

        where = "src/store/x.c:1: "
        self.assert_good(post("UPDATE x SET a = 1"))
        self.assert_good(post("SELECT f(1)", "SQL_ANY_COUNT"))
        self.assert_good(post("SELECT 1", name="page->add"))
        found = where + "sql is posted and has a RETURNING"
        self.assert_found(post("UPDATE x SET a = 1 RETURNING a"), found)
        self.assert_found(post("DELETE FROM x RETURNING a", "SQL_ANY_COUNT"), found)
        self.assert_found(post("DELETE FROM x RETURNING a", "key", "late"), found)
        self.assert_found(
            post("INSERT INTO x VALUES (1)", name="is_a ? sql : other"),
            where + "other is posted and has a RETURNING",
        )
        self.assert_found(post("SELECT 1"), where + "sql is counted and changes no rows")
        self.assert_found(post("DELETE FROM x", name="SQL"), "src/store/x.c:5: its SQL is not beside it")

    def test_log_lines(self):
        name, text = "docs/operations.md", GOOD["docs/operations.md"]
        retried = "| `mail_retried` | warn | a | b |\n"
        more = {"src/net/mail.c": 'void f(void)\n{\n    log_line(LOG_INFO, "new_one");\n}\n'}
        self.assert_found(more, "src/net/mail.c:3: the log line new_one is not in")
        self.assert_found(
            {name: text.replace(retried, "")}, "src/base/log.c:5: the log line mail_retried is not in"
        )
        self.assert_found(
            {name: text.replace(retried, retried + retried.replace("mail_retried", "old_one"))},
            f"{name}:19: old_one is logged nowhere",
        )
        self.assert_found(
            {name: text.replace("| warn |", "| error |")}, f"{name}:18: mail_retried is logged as warn"
        )
        self.assert_found(
            {name: text.replace("error, info", "info")}, f"{name}:19: request is logged as error, info"
        )
        self.assert_found(
            {name: text.replace("| b |", "|  |", 1)},
            f"{name}:18: a log line has",
            "src/base/log.c:5: the log line mail_retried",
        )

    def test_limits(self):
        name, text = "docs/operations.md", GOOD["docs/operations.md"]
        for row, line in (("NAME_MAX` | `100", 9), ("HOLD_MS` | `5 * MINUTE_MS", 12)):
            limit, value = row.split("` | `")
            self.assert_found({name: text.replace(row, f"{limit}` | `7")}, f"{name}:{line}: {limit} is {value}")
            self.assert_found(
                {name: text.replace(f"| `{row}` | x |\n", "")},
                f"src/domain/limits.h:1: the limit {limit} is not in",
            )
        self.assert_found(
            {name: text.replace("| `STOCK_MAX", "| `OLD_MAX` | `1` | x |\n| `STOCK_MAX")},
            f"{name}:11: OLD_MAX is not defined",
        )

    def test_styles(self):
        page = "export const Page = () => <p class={isOn ? 'on' : 'off'}>x</p>;\n"
        tokens = "/* .none #fff */\n:root {\n  --ink: #23201B;\n  --size: 4px;\n}\n"
        good = (
            ".on { color: var(--ink); }\n"
            "@media (min-width: 1.5rem) {\n  .off.u-x { margin: var(--size); }\n}\n"
        )
        files = {"web/src/page.tsx": page, "web/styles/tokens.css": tokens}
        self.assert_good({**files, "web/styles/page.css": good})
        self.assert_found(
            {**files, "web/styles/page.css": good + ".on .gone { color: #fff; }\n"},
            "web/styles/page.css:5: no page has the class gone",
            "web/styles/page.css:5: a colour outside of tokens.css",
        )
        self.assert_found(
            {**files, "web/styles/page.css": ".on { color: var(--ink); margin: 4px; }\n"},
            "web/styles/tokens.css:4: nothing uses --size",
        )

    def test_addresses(self):
        app = '<Route path="/" x /><Route path="/orders/:id" x /><Route path="/admin/*" x />\n'
        staff = '<Route path="/" x />\n<Route path="/menu/:id" x />\n'
        routes = "".join(
            f'    {{{{HTTP_GET, "{address}", LOOP}}, ALL, 0, page_get}},\n'
            for address in ("/", "/orders/{id}", "/admin", "/admin/menu/{id}")
        )
        files = {"web/src/app.tsx": app, "web/src/admin/pages.tsx": staff}
        self.assert_good({**files, "src/api/routes.c": routes})
        self.assert_found(
            {**files, "src/api/routes.c": routes.replace("menu", "food")},
            "web/src/admin/pages.tsx:1: /admin/menu/{id} is not in src/api/routes.c",
            "src/api/routes.c:4: no page shows /admin/food/{id}",
        )

    def test_migration_numbers(self):
        more = "migrations/0002-more.sql"
        self.assert_found(
            {more: None, "migrations/0003-x.sql": ""}, "migrations/0003-x.sql:1: should be number 0002"
        )
        self.assert_found(
            {"migrations/0002-x.sql": ""}, "migrations/0002-x.sql:1: should be number 0003"
        )
        for name in ("3-x.sql", "0003_x.sql", "0003-X.sql", "x.txt"):
            self.assert_found(
                {f"migrations/{name}": ""}, f"migrations/{name}:1: a migration is called NNNN-name.sql"
            )


if __name__ == "__main__":
    unittest.main()
