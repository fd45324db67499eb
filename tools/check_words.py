#!/usr/bin/env python3
"""Refuses words that no commit may hold: paths of one machine, download addresses in lock files, marks of
unfinished work. Usage: check_words.py [ROOT]"""

import os
import re
import sys

import source_text

TEXT = (".h", ".cc", ".py", ".sh", ".ts", ".tsx", ".js", ".mjs", ".cjs", ".css", ".html", ".md", ".txt", ".json",
        ".yaml", ".yml", ".cmake", ".test", ".service", ".sql", ".proto", "")
# This file and its test name what they look for.
EXEMPT = {"tools/check_words.py", "tests/house/check_words_test.py"}

RULES = [
    (re.compile(r"(?<![\w.~/-])/(?:work|home|Users)/(?!$)[\w.-]"), None,
     "a path of one machine; write it relative to the repository"),
    (re.compile(r'"resolved":\s*"https?:'), re.compile(r"package-lock\.json$"),
     "a download address in the lock file; run npm with omit-lockfile-registry-resolved=true"),
    (re.compile(r"\b(?:FIXME|XXX|TODO|HACK)\b"), None,
     "unfinished work; finish it, or say what does not work in the documentation"),
    (re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE), None, "a merge that was not finished"),
]


def is_built(path):
    """The built page is compressed code of others; it is compared with a fresh build elsewhere."""
    return path.startswith("web/dist/")


def check(root):
    problems = []
    for path in source_text.files(root):
        if os.path.splitext(path)[1] not in TEXT or path in EXEMPT or is_built(path):
            continue
        text = source_text.read(root, path)
        for pattern, only, instead in RULES:
            if only is None or only.search(path):
                problems += [f"{path}:{source_text.line_of(text, m.start())}: {m.group(0).strip()}: {instead}"
                             for m in pattern.finditer(text)]
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) if problems else "words: none that may not stand here")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
