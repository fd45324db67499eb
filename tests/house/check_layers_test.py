"""Each way to break the table is seen, and nothing else is."""

import os
import shutil
import unittest

from tree import TOOLS, TreeTest

import check_layers


class Layers(TreeTest):
    def setUp(self):
        super().setUp()
        os.makedirs(os.path.join(self.root, "tools"))
        shutil.copy(os.path.join(TOOLS, "layers.txt"), os.path.join(self.root, "tools"))
        self.put("src/base/error.h", "#pragma once\n")
        self.put("src/model/labels.h", '#pragma once\n#include "base/error.h"\n')
        self.put("src/store/state/database.h", '#pragma once\n#include "model/labels.h"\n')

    def problems(self):
        return check_layers.check(self.root)

    def test_a_good_tree_passes(self):
        self.put("src/store/access/keys.h", '#pragma once\n#include "store/state/database.h"\n')
        self.put("src/show/api.cc", '#include "store/access/keys.h"\n#include <vector>\n')
        self.assertEqual(self.problems(), [])

    def test_up(self):
        self.put("src/base/error.cc", '#include "base/error.h"\n#include "model/labels.h"\n')
        self.assert_one(self.problems(), "src/base/error.cc:2", "src/base may not include src/model/labels.h",
                        "src/app")

    def test_sideways(self):
        self.put("src/net/router.h", '#include "model/labels.h"\n')
        self.assert_one(self.problems(), "src/net may not include src/model/labels.h")

    def test_sideways_where_the_table_allows_the_other_way_only(self):
        self.put("src/store/access/keys.h", "")
        self.put("src/store/state/rows.h", '#include "store/access/keys.h"\n')
        self.assert_one(self.problems(), "src/store/state may not include src/store/access/keys.h")

    def test_around(self):
        self.put("src/base/time.h", '#include "../model/labels.h"\n')
        self.assert_one(self.problems(), "goes around the table")

    def test_a_test_file_is_held_to_the_table_as_well(self):
        self.put("src/base/error_test.cc", '#include "model/labels.h"\n')
        self.assert_one(self.problems(), "src/base/error_test.cc:1")

    def test_query_and_collect_do_not_meet(self):
        self.put("src/query/promql/engine.h", "")
        self.put("src/collect/host/cpu.h", '#include "query/promql/engine.h"\n')
        self.assert_one(self.problems(), "src/collect/host may not include")

    def test_longest_folder_wins(self):
        self.put("src/collect/host/linux/proc.h", "")
        self.put("src/collect/host/cpu.cc", '#include "collect/host/linux/proc.h"\n')
        self.assertEqual(self.problems(), [])

    def test_a_commented_include_counts_for_nothing(self):
        self.put("src/base/a.h", '// #include "model/labels.h"\n/* #include "model/labels.h" */\n')
        self.assertEqual(self.problems(), [])

    def test_a_path_that_does_not_exist(self):
        self.put("src/model/sample.h", '#include "base/gone.h"\n')
        self.assert_one(self.problems(), '"base/gone.h" does not exist')

    def test_circle_of_files(self):
        self.put("src/model/a.h", '#include "model/b.h"\n')
        self.put("src/model/b.h", '#include "model/a.h"\n')
        self.assert_one(self.problems(), "circle of includes", "src/model/a.h -> src/model/b.h -> src/model/a.h")

    def test_circle_in_the_table(self):
        with open(os.path.join(self.root, "tools/layers.txt"), "a", encoding="utf-8") as file:
            file.write("room 5 src/watch/x also src/watch/y\nroom 5 src/watch/y also src/watch/x\n")
        self.assert_one(self.problems(), "circle of rooms", "src/watch/x -> src/watch/y")

    def test_no_home(self):
        self.put("src/helpers/strings.h", "")
        self.assert_one(self.problems(), "src/helpers/strings.h", "no room")

    def test_no_home_straight_under_a_floor(self):
        self.put("src/store/shared.h", "")
        self.assert_one(self.problems(), "src/store/shared.h", "no room")

    def test_links_follow_the_table(self):
        self.put("src/base/CMakeLists.txt", "binnacle_room(base\n  LINKS fmt::fmt binnacle_model)\n")
        self.assert_one(self.problems(), "src/base/CMakeLists.txt:2", "may not link binnacle_model")

    def test_a_good_link(self):
        self.put("src/store/access/CMakeLists.txt", "binnacle_room(store_access LINKS binnacle_store_state)\n")
        self.assertEqual(self.problems(), [])

    def test_a_target_belongs_to_the_room_that_the_table_names(self):
        self.put("web/CMakeLists.txt", "add_library(binnacle_page STATIC a.cc)\ntarget_link_libraries(binnacle_page)\n")
        self.put("src/show/CMakeLists.txt", "binnacle_room(show LINKS binnacle_page)\n")
        self.assertEqual(self.problems(), [])
        self.put("src/base/CMakeLists.txt", "binnacle_room(base LINKS binnacle_page)\n")
        self.assert_one(self.problems(), "src/base/CMakeLists.txt:1", "may not link binnacle_page")

    def test_own_header_first(self):
        self.put("src/base/error.cc", '#include <vector>\n#include "base/error.h"\n')
        self.assert_one(self.problems(), "include base/error.h first")

    def test_heavy_headers(self):
        cases = {
            "src/show/tls.cc": "openssl/ssl.h",
            "src/net/server.h": "boost/beast/http.hpp",
            "src/show/json.h": "nlohmann/json.hpp",
            "src/base/pattern.h": "regex",
            "src/store/access/rows.cc": "sqlite3.h",
            "src/net/epoll.cc": "sys/epoll.h",
            "src/show/cli.cc": "CLI/CLI.hpp",
            "engine/pipeline/worker.cc": "torch/torch.h",
            "src/net/server.cc": "grpcpp/grpcpp.h",
        }
        for path, name in cases.items():
            with self.subTest(path):
                self.put(path, f"#include <{name}>\n")
                found = [p for p in self.problems() if p.startswith(path)]
                self.assert_one(found, f"<{name}> is only for")
                os.remove(os.path.join(self.root, path))

    def test_heavy_headers_at_home(self):
        self.put("src/net/grpc_health.cc", "#include <grpcpp/grpcpp.h>\n")
        self.put("src/net/tls.cc", "#include <openssl/ssl.h>\n#include <nlohmann/json.hpp>\n")
        self.put("engine/model/torch/layer.cc", "#include <torch/torch.h>\n")
        self.assertEqual(self.problems(), [])


if __name__ == "__main__":
    unittest.main()
