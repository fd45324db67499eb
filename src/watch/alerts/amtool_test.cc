// Our reading of alertmanager.yml beside that of Debian's amtool, over the files of the fuzz
// corpus, whose names say who takes them: good_ both, bad_ neither, newer_ we alone (keys of later
// versions and our own), missing_ and stricter_ amtool alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "net/coroutine_test_loop.h"
#include "net/run_program.h"
#include "store/state/testing/state_fixture.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {
namespace {

const std::string kCorpus = std::string(BINNACLE_SOURCE_DIR) + "/tests/corpus/alert_config";

net::ProgramRun amtool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "amtool");
  net::TestLoop loop;
  auto ran =
      loop.run(net::run_program({.argv = std::move(arguments), .environment = {}, .folder = ""},
                                {.timeout = std::chrono::seconds(60)}));
  if (!ran) return {.exit = {.code = 127}, .out = "", .err = ran.error().message};
  return std::move(*ran);
}

bool has_amtool() { return amtool({"--version"}).exit.code == 0; }

std::string text_of(const std::string& name) {
  auto text = real_file_system().read_file(kCorpus + "/" + name);
  EXPECT_TRUE(text) << name;
  return text ? *text : "";
}

Result<std::shared_ptr<const AlertConfig>> read(const std::string& name) {
  return read_alert_config(text_of(name), kCorpus, real_file_system(), name);
}

std::vector<std::string> corpus(std::string_view prefix) {
  std::vector<std::string> out;
  const auto entries = real_file_system().list(kCorpus);
  EXPECT_TRUE(entries);
  for (const DirEntry& entry : *entries) {
    if (entry.name.starts_with(prefix) && entry.name.ends_with(".yml")) out.push_back(entry.name);
  }
  EXPECT_FALSE(out.empty()) << prefix;
  return out;
}

TEST(AlertConfigCorpus, IsTakenAsItsNamesSay) {
  for (const char* prefix : {"good_", "newer_"}) {
    for (const std::string& name : corpus(prefix)) {
      const auto config = read(name);
      EXPECT_TRUE(config) << name << ": " << config.error().message;
    }
  }
  for (const char* prefix : {"bad_", "missing_", "stricter_"}) {
    for (const std::string& name : corpus(prefix)) EXPECT_FALSE(read(name)) << name;
  }
}

TEST(Amtool, ComesToTheSameVerdicts) {
  if (!has_amtool()) GTEST_SKIP() << "no amtool: install prometheus-alertmanager";
  const std::pair<const char*, bool> kVerdicts[] = {
      {"good_", true}, {"bad_", false}, {"newer_", false}, {"missing_", true}, {"stricter_", true}};
  for (const auto& [prefix, taken] : kVerdicts) {
    for (const std::string& name : corpus(prefix)) {
      const auto ran = amtool({"check-config", kCorpus + "/" + name});
      EXPECT_EQ(ran.exit.code == 0, taken) << name << "\n" << ran.out << ran.err;
    }
  }
}

// The first block of YAML in the page about the configuration.
std::string documented_example() {
  const auto page =
      real_file_system().read_file(std::string(BINNACLE_SOURCE_DIR) + "/docs/alerting-config.md");
  EXPECT_TRUE(page);
  constexpr std::string_view kBegin = "```yaml\n";
  const size_t begin = page->find(kBegin) + kBegin.size();
  return page->substr(begin, page->find("```", begin) - begin);
}

TEST(AlertConfigCorpus, TheDocumentedExampleIsTaken) {
  const auto text = std::string("global: {smtp_smarthost: 'h:25', smtp_from: a@example.org}\n") +
                    documented_example();
  const auto config = read_alert_config(text, "/etc", real_file_system());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ((*config)->route.routes.at(0).escalation, "hurry");
  EXPECT_EQ((*config)->maintenance.size(), 1U);
  EXPECT_EQ((*config)->receivers.at("lead").integrations.at(1).kind, "exec");
  if (!has_amtool()) GTEST_SKIP() << "no amtool: install prometheus-alertmanager";
  const store::state::TempFolder folder;
  const std::string path = folder.path() + "/example.yml";
  ASSERT_TRUE(real_file_system().write_file_atomically(path, text));
  const auto ran = amtool({"check-config", path});
  EXPECT_EQ(ran.exit.code, 0) << ran.out << ran.err;
}

TEST(Amtool, ReadsTheOriginalsWithoutSecrets) {
  if (!has_amtool()) GTEST_SKIP() << "no amtool: install prometheus-alertmanager";
  const store::state::TempFolder folder;
  const std::string path = folder.path() + "/original.yml";
  std::vector<std::string> names = corpus("good_");
  names.emplace_back("newer_in_place.yml");  // its extensions are left out
  for (const std::string& name : names) {
    const auto config = read(name);
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_TRUE(real_file_system().write_file_atomically(path, (*config)->original));
    const auto ran = amtool({"check-config", path});
    EXPECT_EQ(ran.exit.code, 0) << name << "\n" << ran.out << ran.err << (*config)->original;
  }
}

TEST(Amtool, FindsTheSameRoutes) {
  if (!has_amtool()) GTEST_SKIP() << "no amtool: install prometheus-alertmanager";
  const std::vector<std::vector<std::string>> kAlerts = {
      {"a=b"},
      {"service=foo1"},
      {"service=foo1", "severity=critical"},
      {"service=foo12"},
      {"service=files"},
      {"service=files", "severity=critical"},
      {"service=files", "severity=critical", "env=dev"},
      {"service=database-1", "owner=team-x"},
      {"service=database-1", "owner=team-x", "env=prod"},
      {"service=database-1", "owner=team-y"},
      {"service=database-1", "owner=team-z"},
      {"service=database", "owner=other", "env=staging"},
      {"env=prod"},
      {"env=staging-2"},
      {"env="},
      {"env=dev", "service=baz", "severity=critical"}};
  const auto config = read("good_whole.yml");
  ASSERT_TRUE(config);
  for (const auto& alert : kAlerts) {
    std::vector<std::string> arguments = {"config", "routes", "test", "--config.file",
                                          kCorpus + "/good_whole.yml"};
    model::LabelsBuilder labels;
    for (const std::string& pair : alert) {
      arguments.push_back(pair);
      labels.set(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
    }
    std::string ours;
    const model::Labels built = labels.build();
    for (const Route* route : routes_of((*config)->route, built)) {
      ours += (ours.empty() ? "" : ",") + route->receiver;
    }
    EXPECT_EQ(amtool(arguments).out, ours + "\n") << built.to_string();
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
