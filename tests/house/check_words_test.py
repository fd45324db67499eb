"""Words that no commit may hold are seen wherever text stands."""

import unittest

from tree import TreeTest

import check_words


class Words(TreeTest):
    def problems(self):
        return check_words.check(self.root)

    def test_a_good_tree_passes(self):
        self.put("README.md", "See docs/home/notes.md and https://example.org/home/x\n")
        self.put("web/package-lock.json", '{ "integrity": "sha512-x" }\n')
        self.assertEqual(self.problems(), [])

    def test_paths_of_one_machine(self):
        for top in ("work", "home", "Users"):
            path = f"/{top}/somebody/x"  # not in one piece: this file may not hold it either
            with self.subTest(path):
                self.put("docs/a.md", f"first\nlook in {path}\n")
                self.assert_one(self.problems(), "docs/a.md:2", "a path of one machine")

    def test_download_addresses(self):
        self.put("web/package-lock.json", '{\n"resolved": "https://example.org/x.tgz"\n}\n')
        self.assert_one(self.problems(), "web/package-lock.json:2", "download address")

    def test_unfinished_work(self):
        for word in ("TODO", "FIXME", "XXX"):
            with self.subTest(word):
                self.put("src/base/a.cc", f"// {word}: later\n")
                self.assert_one(self.problems(), "src/base/a.cc:1", word)

    def test_an_unfinished_merge(self):
        self.put("dev", "ok\n<<<<<<< HEAD\n")
        self.assert_one(self.problems(), "dev:2")

    def test_what_is_built_or_fetched_is_not_read(self):
        self.put("build/dev/a.txt", "TODO\n")
        self.put("web/node_modules/x/README.md", "TODO\n")
        self.put("web/dist/page.js", "/*TODO*/\n")
        self.assertEqual(self.problems(), [])


if __name__ == "__main__":
    unittest.main()
