"""Each refused call is seen outside its home, and names that only look like one are not."""

import unittest

from tree import TreeTest

import check_calls


class Calls(TreeTest):
    def setUp(self):
        super().setUp()
        self.put("tools/allowed.txt", "# none\n")

    def problems(self):
        return check_calls.check(self.root)

    def test_every_rule_fails_outside_its_home(self):
        cases = {
            "clock": ["auto t = std::chrono::steady_clock::now();", "time(nullptr);", "::clock_gettime(0, &t);"],
            "random": ["std::mt19937 engine;", "std::random_device d;", "int x = rand();"],
            "file": ["std::ifstream in(path);", "int fd = ::open(path, 0);", "#include <fcntl.h>",
                     "std::filesystem::remove(path);", 'FILE* f = std::fopen("a", "r");', "::unlink(path);"],
            "socket": ["int s = ::socket(AF_INET, 0, 0);", "#include <sys/socket.h>", "getaddrinfo(a, b, c, d);"],
            "sleep": ["std::this_thread::sleep_for(1s);", "usleep(10);", "::sleep(1);"],
            "output": ['std::cout << "x";', 'printf("x");', 'std::fprintf(stderr, "x");', "#include <iostream>"],
            "process": ['std::system("ls");', 'popen("ls", "r");', "if (fork() == 0) {}", "std::abort();"],
            "thread": ["auto f = std::async(run);", "worker.detach();"],
            "mutex": ["std::mutex mu;", "std::lock_guard lock(mu);"],
            "linux-path": ['read("/proc/stat");', 'read("/sys/class/net");'],
        }
        self.assertEqual(set(cases), {rule.name for rule in check_calls.RULES})
        for rule, lines in cases.items():
            for line in lines:
                with self.subTest(line):
                    self.put("src/show/page.cc", "int before;\n" + line + "\n")
                    self.assert_one(self.problems(), "src/show/page.cc:2:", f"({rule})")

    def test_names_that_only_look_alike(self):
        self.put("src/show/page.cc", """
Status Database::open(const std::string& path);
auto s = database.open(path), t = file->rename(a, b), u = socket.connect(to);
int64_t time() const;
int64_t end_time(int x);
void bind(int column);
co_await sleep(stream, 5);
snprintf(buffer, sizeof(buffer), "%d", 3);
int seconds = 1'000'000; char c = 'x';
""")
        self.assertEqual(self.problems(), [])

    def test_comments_and_strings_are_no_calls(self):
        self.put("src/show/page.cc", '// std::cout, time(nullptr)\nauto text = "printf(x)";\n'
                                     'auto raw = R"(std::mutex mu;)";\n// reads "/proc/stat"\n')
        self.assertEqual(self.problems(), [])

    def test_homes(self):
        self.put("src/base/clock.cc", "auto t = std::chrono::steady_clock::now();\n")
        self.put("src/net/tcp.cc", "int s = ::socket(1, 2, 3);\n")
        self.put("src/collect/host/linux/cpu.cc", 'auto p = "/proc/stat";\n')
        self.put("src/app/query.cc", 'std::cout << "x";\n')
        self.assertEqual(self.problems(), [])

    def test_tests_may_open_files_but_never_sleep_or_read_the_clock(self):
        self.put("src/show/page_test.cc", "std::ifstream in(path);\n")
        self.assertEqual(self.problems(), [])
        self.put("src/show/page_test.cc", "std::this_thread::sleep_for(1s);\n")
        self.assert_one(self.problems(), "(sleep)")
        self.put("src/show/page_test.cc", "auto t = std::chrono::system_clock::now();\n")
        self.assert_one(self.problems(), "(clock)")

    def test_an_exception_with_a_reason(self):
        self.put("src/show/page.cc", "std::mutex mu;\n")
        self.put("tools/allowed.txt", "mutex src/show/page.cc a third party wants this very type\n")
        self.assertEqual(self.problems(), [])

    def test_an_exception_without_a_reason(self):
        self.put("tools/allowed.txt", "mutex src/show/page.cc\n")
        self.assert_one(self.problems(), "tools/allowed.txt:1", "RULE FILE REASON")

    def test_an_exception_that_nothing_needs(self):
        self.put("tools/allowed.txt", "mutex src/show/page.cc it was needed once\n")
        self.assert_one(self.problems(), "tools/allowed.txt:1", "remove it")


if __name__ == "__main__":
    unittest.main()
