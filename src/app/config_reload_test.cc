#include "app/config_reload.h"

#include "base/fault_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace binnacle::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPath[] = "/binnacle.yaml";

class ConfigReloadTest : public ::testing::Test {
 protected:
  void write(std::string_view yaml) { ASSERT_TRUE(files_.write_file_atomically(kPath, yaml)); }

  // Records what it commits; refuses every value of `live` that begins with "bad".
  void add_participant(const std::string& name) {
    reloader_.add({name, [this, name](const Config& next) -> Result<ConfigReloader::Commit> {
                     const std::string value = next.get_string("live");
                     prepared_.push_back(name);
                     if (value.starts_with("bad")) {
                       return fail(Code::kFailedPrecondition, "cannot use " + value);
                     }
                     return [this, name, value] { committed_.push_back(name + "=" + value); };
                   }});
  }

  double successful() {
    return registry_
        .gauge("binnacle_config_last_reload_successful",
               "Whether the last attempt to read the configuration succeeded.")
        .value();
  }
  double success_seconds() {
    return registry_
        .gauge("binnacle_config_last_reload_success_timestamp_seconds",
               "When the configuration that holds now was read, in Unix seconds.")
        .value();
  }

  FaultFileSystem files_;
  SimulatedClock clock_{1'000'000'000'000};
  Registry registry_;
  ConfigSources sources_{[](const std::string&) { return std::nullopt; }, files_};
  ConfigSchema schema_{{{.path = "live", .meaning = "A key.", .reload = Reload::kLive},
                        {.path = "fixed", .meaning = "A key."}}};
  ConfigReloader reloader_{kPath,    schema_,   *Config::parse(schema_, "", kPath, sources_),
                           sources_, registry_, clock_};
  std::vector<std::string> prepared_, committed_;
};

TEST_F(ConfigReloadTest, CommitsInOrderAndSwaps) {
  add_participant("a");
  add_participant("b");
  write("live: x\n");
  const auto before = reloader_.current();
  const auto report = reloader_.reload();
  ASSERT_TRUE(report);
  ASSERT_EQ(report->changed.size(), 1u);
  EXPECT_EQ(report->changed[0].path, "live");
  EXPECT_EQ(report->changed[0].new_text, "x");
  EXPECT_THAT(report->needs_restart, IsEmpty());
  EXPECT_THAT(committed_, ElementsAre("a=x", "b=x"));
  EXPECT_EQ(reloader_.current()->get_string("live"), "x");
  EXPECT_EQ(before->get_string("live"), "");  // a reader keeps what it took
}

TEST_F(ConfigReloadTest, ABadFileChangesNothingAndNobodyIsAsked) {
  add_participant("a");
  write("lvie: x\nfixed: [1]\n");
  const auto report = reloader_.reload();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr("/binnacle.yaml:1: unknown key (lvie)"));
  EXPECT_THAT(report.error().message, HasSubstr("/binnacle.yaml:2: fixed: wrong type"));
  EXPECT_THAT(prepared_, IsEmpty());
  EXPECT_EQ(reloader_.current()->get_string("live"), "");
}

TEST_F(ConfigReloadTest, AMissingFileKeepsWhatHolds) {
  EXPECT_THAT(reloader_.reload().error().message, HasSubstr("config cannot be read"));
}

TEST_F(ConfigReloadTest, NothingIsReadWhilePaused) {
  write("live: new\n");
  reloader_.pause("the server is starting");
  EXPECT_EQ(reloader_.reload().error().code, Code::kUnavailable);
  EXPECT_EQ(reloader_.current()->get_string("live"), "");
  reloader_.resume();
  EXPECT_TRUE(reloader_.reload());
  EXPECT_EQ(reloader_.current()->get_string("live"), "new");
}

TEST_F(ConfigReloadTest, OneRefusalStopsAllAndAllRefusalsAreTold) {
  reloader_.add({"first", [this](const Config&) -> Result<ConfigReloader::Commit> {
                   return [this] { committed_.push_back("first"); };
                 }});
  add_participant("a");
  add_participant("b");
  write("live: bad\n");
  const auto report = reloader_.reload();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(report.error().message, "reload config: a: cannot use bad\nb: cannot use bad");
  EXPECT_THAT(committed_, IsEmpty());
  EXPECT_EQ(reloader_.current()->get_string("live"), "");
}

TEST_F(ConfigReloadTest, RestartKeysWaitUntilTheyAreAsAtTheStart) {
  write("fixed: new\n");
  EXPECT_THAT(reloader_.reload()->needs_restart, ElementsAre("fixed"));
  const auto again = reloader_.reload();
  EXPECT_THAT(again->changed, IsEmpty());
  EXPECT_THAT(again->needs_restart, ElementsAre("fixed"));  // still waiting
  write("");
  EXPECT_THAT(reloader_.reload()->needs_restart, IsEmpty());
}

TEST_F(ConfigReloadTest, TellsTheMetrics) {
  EXPECT_EQ(successful(), 1);
  EXPECT_EQ(success_seconds(), 1000);
  clock_.advance_ms(5000);
  write("live: [\n");
  ASSERT_FALSE(reloader_.reload());
  EXPECT_EQ(successful(), 0);
  EXPECT_EQ(success_seconds(), 1000);
  write("live: x\n");
  ASSERT_TRUE(reloader_.reload());
  EXPECT_EQ(successful(), 1);
  EXPECT_EQ(success_seconds(), 1005);
}

TEST_F(ConfigReloadTest, TheHookHearsEveryOutcome) {
  std::vector<std::string> heard;
  reloader_.on_done([&](const Result<ReloadReport>& outcome) {
    heard.push_back(outcome ? outcome->changed.at(0).path : "failed");
  });
  write("live: x\n");
  (void)reloader_.reload();
  write("nonsense");
  (void)reloader_.reload();
  EXPECT_THAT(heard, ElementsAre("live", "failed"));
}

TEST_F(ConfigReloadTest, ReloadsFromManyThreadsDoNotMix) {
  int inside = 0;  // no lock: TSan and the check below see a second reload at the same time
  reloader_.add({"alone", [&](const Config&) -> Result<ConfigReloader::Commit> {
                   EXPECT_EQ(++inside, 1);
                   return [&] { --inside; };
                 }});
  write("live: x\n");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) EXPECT_TRUE(reloader_.reload());
    });
  }
  for (int n = 0; n < 1000; ++n) EXPECT_NE(reloader_.current(), nullptr);
  for (std::thread& thread : threads) thread.join();
}

TEST(ConfigReloadWithoutFile, HoldsTheDefaults) {
  FaultFileSystem files;
  SimulatedClock clock;
  Registry registry;
  const ConfigSources sources{[](const std::string&) { return std::nullopt; }, files};
  const ConfigSchema schema({{.path = "live", .default_text = "d", .meaning = "A key."}});
  ConfigReloader reloader("", schema, *Config::load(schema, "", sources), sources, registry, clock);
  ASSERT_TRUE(reloader.reload());
  EXPECT_EQ(reloader.current()->get_string("live"), "d");
}

}  // namespace
}  // namespace binnacle::app
