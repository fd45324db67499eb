#include <gmock/gmock.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

class TextfilePartTest : public testing::Test {
 protected:
  void write(const std::string& name, std::string_view text) {
    tree_.write("root/" + name, text);
    std::filesystem::last_write_time(
        tree_.path("root/" + name),
        std::filesystem::file_time_type(std::chrono::file_clock::from_sys(
            std::chrono::sys_time<std::chrono::seconds>(std::chrono::seconds(1'700'000'000)))));
  }
  std::string modified(const std::string& name) {
    return "node_textfile_mtime_seconds{file=\"" + tree_.path("root/" + name) + "\"}";
  }
  PartRunner make(TextfileOptions options = {}) {
    options.folder = tree_.path("root");
    return PartRunner(textfile_part(real_file_system(), options));
  }
  RecordedTree tree_;
};

TEST_F(TextfilePartTest, TakesWhatProgramsLeft) {
  write("backup.prom",
        "# HELP backup_last_success_seconds When.\n# TYPE backup_last_success_seconds gauge\n"
        "backup_last_success_seconds{job_name=\"a b\\n\"} 1.5e9\nplain 3\n");
  write("README.txt", "not { for us");
  PartRunner runner = make();
  EXPECT_EQ(runner.run(), (Samples{{R"(backup_last_success_seconds{job_name="a b\n"})", 1.5e9},
                                   {"plain", 3},
                                   {modified("backup.prom"), 1'700'000'000},
                                   {"node_textfile_scrape_error", 0}}));
  EXPECT_TRUE(runner.succeeded());
}

TEST_F(TextfilePartTest, ABrokenFileIsNamedAndTheOthersGoOn) {
  write("a.prom", "good_a 1\n");
  write("b.prom", "half 1\nbroken{ 2\n");
  write("c.prom", "good_c 3\n");
  write("d.prom", "timed 4 1700000000000\n");
  PartRunner runner = make();
  LogCapture log;
  EXPECT_EQ(runner.run(), (Samples{{"good_a", 1},
                                   {"good_c", 3},
                                   {modified("a.prom"), 1'700'000'000},
                                   {modified("c.prom"), 1'700'000'000},
                                   {"node_textfile_scrape_error", 1}}));
  EXPECT_FALSE(runner.succeeded());
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_THAT(log.lines()[0], testing::HasSubstr("b.prom"));
  write("b.prom", "half 1\n");
  tree_.remove("root/d.prom");
  tree_.remove("root/a.prom");
  const Samples mended = runner.run();
  EXPECT_EQ(mended.at("half"), 1);
  EXPECT_TRUE(model::is_stale(mended.at("good_a")));
  EXPECT_EQ(mended.at("node_textfile_scrape_error"), 0);
}

TEST_F(TextfilePartTest, BytesAndFilesAreBounded) {
  write("a.prom", "good 1\n");
  write("b.prom", "large " + std::string(100, '1') + "\n");
  write("c.prom", "third 3\n");
  PartRunner runner = make({.max_files = 2, .max_file_bytes = 64});
  const Samples samples = runner.run();
  EXPECT_EQ(samples.at("good"), 1);
  EXPECT_FALSE(samples.contains("large"));
  EXPECT_FALSE(samples.contains("third"));
  EXPECT_EQ(samples.at("node_textfile_scrape_error"), 1);
}

TEST_F(TextfilePartTest, AFolderThatIsNotThereIsAnError) {
  PartRunner runner(textfile_part(real_file_system(), {.folder = tree_.path("none")}));
  EXPECT_EQ(runner.run(), (Samples{{"node_textfile_scrape_error", 1}}));
}

}  // namespace
}  // namespace binnacle::collect::host
