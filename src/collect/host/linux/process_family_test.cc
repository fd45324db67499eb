#include "collect/host/linux/process_family.h"

#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

void write_process(const RecordedTree& tree, int64_t pid, int64_t parent, char state, int ticks) {
  tree.write("proc/" + std::to_string(pid) + "/stat",
             std::to_string(pid) + " (a b) c) " + state + " " + std::to_string(parent) +
                 " 1 1 0 -1 0 0 0 0 0 " + std::to_string(ticks) + " 0 0 0 20 0 1 0 100 0 0\n");
}

TEST(ProcessFamily, TellsOfAllThatDescendAndOfNobodyElse) {
  const RecordedTree tree;
  write_process(tree, 10, 1, 'S', 150);
  write_process(tree, 11, 10, 'S', 50);
  write_process(tree, 12, 11, 'T', 100);
  write_process(tree, 20, 1, 'T', 9'000);
  tree.write("proc/meminfo", "MemTotal: 1 kB\n");
  const auto view = look_at_family(real_file_system(), tree.path("proc"), 10);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->pids.size(), 3u);
  EXPECT_EQ(view->stopped_pid, 12);
  EXPECT_DOUBLE_EQ(view->cpu_seconds, 3.0);
  const auto other = look_at_family(real_file_system(), tree.path("proc"), 11);
  EXPECT_EQ(other->pids.size(), 2u);
}

TEST(ProcessFamily, AProcessThatIsGoneHasNone) {
  const RecordedTree tree;
  write_process(tree, 10, 1, 'S', 0);
  EXPECT_TRUE(look_at_family(real_file_system(), tree.path("proc"), 4711)->pids.empty());
}

}  // namespace
}  // namespace binnacle::collect::host
