#!/usr/bin/env python3
"""Time, randomness, files, network and output come in through constructors or have one home; this refuses
calls outside it. Exceptions stand in tools/allowed.txt, each with a reason. Usage: check_calls.py [ROOT]"""

import fnmatch
import re
import sys

import source_text


class Rule:
    """What is refused, where it is at home, what to do instead. `strings` looks inside literals too."""

    def __init__(self, name, pattern, homes, instead, tests=False, strings=False):
        self.name, self.pattern, self.homes = name, re.compile(pattern), homes
        self.instead, self.tests, self.strings = instead, tests, strings


# A function of the C library whose name nobody else would take: `fopen(`, `std::fopen(`, `::fopen(`.
def call(*names):
    return r"(?<![\w.>:])(?:std::|::)?(?:" + "|".join(names) + r")\s*\("


# One whose name a method of ours may well bear (`open`, `bind`): only as `::open(` or `std::rename(`. Calling
# it without either needs its header, which the same rule refuses.
def global_call(*names):
    return r"(?<![\w>.])(?:std)?::(?:" + "|".join(names) + r")\s*\("


def header(*names):
    return r"#\s*include\s*<(?:" + "|".join(names) + r")>"


RULES = [
    Rule("clock",
         r"_clock::now\b|" + call(r"time(?=\s*\(\s*(?:nullptr|NULL|0|&))", "gettimeofday", "clock_gettime"),
         ["src/base/clock.cc"],
         "take a Clock (base/clock.h) in the constructor, so that tests own time", tests=True),
    Rule("random",
         r"\bstd::(?:random_device|mt19937\w*|default_random_engine|minstd_rand\w*)\b|"
         + call("s?rand", "rand_r", "drand48", "getrandom", "getentropy") + "|" + header("random"),
         ["src/base/random.h", "src/base/random.cc"],
         "take a Random (base/random.h) in the constructor; a test seeds it"),
    Rule("file",
         r"\bstd::(?:[io]?fstream|filesystem)\b|"
         + header("fstream", "filesystem", r"fcntl\.h", r"dirent\.h", r"sys/mman\.h", r"sys/stat\.h")
         + "|" + call("fopen", "fdopen", "opendir", "mkstemp", "mkdtemp", "unlink(?:at)?", "renameat2?", "fdatasync") + "|"
         + global_call("open", "openat", "creat", "mkdir", "unlink", "remove", "rename", "mmap", "truncate",
                       "ftruncate", "fsync"),
         ["src/base/posix_*", "src/base/os_*"],
         "take a FileSystem (base/file_system.h) in the constructor, so that tests can make it fail"),
    Rule("socket",
         header(r"sys/socket\.h", r"netdb\.h", r"netinet/\w+\.h", r"arpa/inet\.h", r"sys/epoll\.h", r"sys/un\.h")
         + "|" + call("getaddrinfo", "gethostbyname", r"epoll_\w+") + "|"
         + global_call("socket", "socketpair", "bind", "listen", "accept4?", "connect", "recv(?:from|msg)?",
                       "send(?:to|msg)?"),
         ["src/net/*"],
         "use net's client or server (net/client.h, net/server.h)"),
    Rule("sleep",
         r"\bsleep_(?:for|until)\b|" + call("usleep", "nanosleep", "clock_nanosleep") + "|" + global_call("sleep"),
         [],
         "wait for the event: a condition with a deadline, a timer of the strand, the simulated clock in a test",
         tests=True),
    Rule("output",
         r"\bstd::(?:cout|cerr|clog)\b|" + header("iostream") + "|"
         + call("v?printf", "v?fprintf", "puts", "fputs", "putchar", "perror", "fmt::print"),
         ["src/app/*", "engine/main.cc", "engine/*_command.cc", "src/base/log*.cc", "src/base/check.cc"],
         "log with base/log.h; only commands in src/app and engine write to the terminal"),
    Rule("process",
         call("popen", "v?fork", "execv[pe]{0,2}", "execl[pe]?", "posix_spawnp?") + "|"
         + global_call("system", "abort", "exit", "_exit", "quick_exit"),
         ["src/base/check.cc", "src/base/os_*"],
         "no shell and no child process in the product; return an Error where you wanted to stop"),
    Rule("thread",
         r"\bstd::(?:async|jthread)\b|\.detach\(\)",
         ["src/base/*"],
         "post to a ThreadPool (base/thread_pool.h) or an executor of net/io_threads.h, which can be stopped"),
    Rule("mutex",
         r"\bstd::(?:(?:shared_|recursive_|timed_)?mutex|lock_guard|unique_lock|scoped_lock|shared_lock|"
         r"condition_variable\w*)\b",
         ["src/base/mutex.h"],
         "use Mutex and MutexLock (base/mutex.h), which -Wthread-safety checks"),
    Rule("linux-path",
         r'"/(?:proc|sys)\b',
         ["src/collect/host/*", "src/collect/gpu/*", "src/collect/container/*", "src/base/os_*"],
         "Linux stops at its collectors; elsewhere ask a seam of base or net", strings=True),
]


class Allowance:
    def __init__(self, line_number, rule, glob, reason):
        self.line_number, self.rule, self.glob, self.reason = line_number, rule, glob, reason
        self.used = False

    def covers(self, rule, path):
        if rule == self.rule and fnmatch.fnmatch(path, self.glob):
            self.used = True
            return True
        return False


def read_allowances(text):
    found, problems, names = [], [], {rule.name for rule in RULES}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 2)
        if len(parts) < 3 or parts[0] not in names:
            problems.append(f"tools/allowed.txt:{number}: a line is `RULE FILE REASON` with a rule of "
                            f"{', '.join(sorted(names))}: {line}")
        else:
            found.append(Allowance(number, *parts))
    return found, problems


def is_test(path):
    name = path.rsplit("/", 1)[-1]
    return ("/testing/" in path or name.startswith("test_")
            or name.endswith(("_test.cc", "_fuzz.cc", "_fixture.h", "_fixture.cc")))


def hits(rule, text, text_with_strings):
    source = text_with_strings if rule.strings else text
    return [(source_text.line_of(source, m.start()), m.group(0).strip()) for m in rule.pattern.finditer(source)]


def check_file(root, path, allowances):
    raw = source_text.read(root, path)
    code, with_strings = source_text.without_comments(raw, keep_strings=False), source_text.without_comments(raw)
    problems = []
    for rule in RULES:
        if is_test(path) and not rule.tests:
            continue
        if any(fnmatch.fnmatch(path, home) for home in rule.homes):
            continue
        found = hits(rule, code, with_strings)
        if not found or any([a.covers(rule.name, path) for a in allowances]):
            continue
        problems += [f"{path}:{line}: {what} ({rule.name}): {rule.instead}" for line, what in found]
    return problems


def check(root):
    allowances, problems = read_allowances(source_text.read(root, "tools/allowed.txt"))
    for path in source_text.files(root, "src", "engine"):
        if path.endswith((".h", ".cc")):
            problems += check_file(root, path, allowances)
    problems += [f"tools/allowed.txt:{a.line_number}: nothing needs this line any more; remove it: "
                 f"{a.rule} {a.glob}" for a in allowances if not a.used]
    return problems


def main():
    problems = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(problems) if problems else "calls: all at home")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
