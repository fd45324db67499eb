"""C++ sources as the checks read them: files of a tree, text without comments, includes."""

import os
import re

SKIPPED_FOLDERS = {".git", "build", "node_modules", ".cache", "__pycache__"}

_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*.*?\*/)
      | (?P<raw>R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
      | (?P<text>"(?:\\.|[^"\\\n])*")
      | (?P<char>(?<![0-9A-Za-z])'(?:\\.|[^'\\\n])+')""",
    re.VERBOSE | re.DOTALL,
)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def files(root, *tops):
    """Paths, relative to root, of every file under the given folders (all of the tree without any)."""
    found = []
    for top in tops or ("",):
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            found += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)]
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def without_comments(text, keep_strings=True):
    """The text with comments, and the insides of literals unless kept, blanked; lines keep their numbers."""

    def blank(match):
        token = match.group(0)
        if match.group("line") or match.group("block"):
            return re.sub(r"[^\n]", " ", token)
        if keep_strings:
            return token
        return '"' + re.sub(r"[^\n]", " ", token[1:-1]) + '"'

    return _TOKEN.sub(blank, text)


def includes(text):
    """(line, quoted, name) of every #include outside comments."""
    clean = without_comments(text)
    return [
        (line_of(clean, match.start(1)), match.group(1) == '"', match.group(2))
        for match in _INCLUDE.finditer(clean)
    ]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
