#include "app/rules_commands.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/promql_commands.h"
#include "app/rules_report.h"
#include "base/glob.h"

#include "watch/rules/rule_file.h"
#include "watch/rules/rule_templates.h"
#include "watch/rules/unit_test_run.h"
#include "watch/rules/unit_tests.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using watch::rules::RuleGroup;
using watch::rules::UnitTest;
using watch::rules::UnitTestFile;

constexpr int kWrong = 1;
constexpr int kUnreadable = 2;
constexpr int kLintOnly = 3;

watch::rules::RuleFileOptions read_options(bool experimental) {
  return {.experimental = experimental, .check_template = watch::rules::check_rule_template};
}

Result<std::vector<RuleGroup>> read_rules(FileSystem& files, const std::string& path,
                                          bool experimental) {
  TRY_ASSIGN(const std::string text, files.read_file(path));
  return watch::rules::read_rule_file(text, path, read_options(experimental));
}

struct Checked {
  std::string path;
  bool unreadable = false;
  std::string error;
  std::vector<std::string> duplicates;
  size_t groups = 0;
  size_t recording = 0;
  size_t alerting = 0;
};

Checked check_file(const RulesCheck& command, FileSystem& files, const std::string& path) {
  Checked checked{.path = path};
  const Result<std::string> text = files.read_file(path);
  if (!text) {
    checked.unreadable = true;
    checked.error = text.error().message;
    return checked;
  }
  const auto groups = watch::rules::read_rule_file(*text, path, read_options(command.experimental));
  if (!groups) {
    checked.error = groups.error().message;
    return checked;
  }
  checked.groups = groups->size();
  for (const RuleGroup& group : *groups) {
    for (const watch::rules::Rule& rule : group.rules)
      ++(rule.alerting ? checked.alerting : checked.recording);
  }
  if (command.lint) checked.duplicates = watch::rules::duplicate_rules(*groups);
  return checked;
}

std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    out += fmt::format("    {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

void print_checked(const Checked& checked, std::ostream& out, std::ostream& err) {
  out << "Checking " << checked.path << '\n';
  if (!checked.error.empty()) {
    out << "  FAILED\n\n";
    err << indented(checked.error);
    return;
  }
  if (!checked.duplicates.empty()) {
    out << fmt::format("  FAILED: {} duplicate rules\n", checked.duplicates.size());
    for (const std::string& line : checked.duplicates) err << indented(line);
  } else {
    out << fmt::format("  SUCCESS: {} rules found ({} groups, {} recording, {} alerting)\n",
                       checked.recording + checked.alerting, checked.groups, checked.recording,
                       checked.alerting);
  }
  out << '\n';
}

json checked_json(const Checked& checked) {
  json out = {{"file", checked.path},         {"passed", checked.error.empty()},
              {"groups", checked.groups},     {"recording", checked.recording},
              {"alerting", checked.alerting}, {"duplicates", checked.duplicates}};
  if (!checked.error.empty()) out["error"] = checked.error;
  return out;
}

// The rules that a file of tests names, all of them at once.
Result<std::vector<RuleGroup>> rules_of(const UnitTestFile& tests, FileSystem& files,
                                        std::vector<std::string>& warnings) {
  std::vector<RuleGroup> all;
  for (const std::string& pattern : tests.rule_files) {
    const std::vector<std::string> paths = expand_glob(files, pattern);
    if (paths.empty()) warnings.push_back("no file matches " + pattern);
    for (const std::string& path : paths) {
      TRY_ASSIGN(std::vector<RuleGroup> groups, read_rules(files, path, false));
      all.insert(all.end(), std::make_move_iterator(groups.begin()),
                 std::make_move_iterator(groups.end()));
    }
  }
  return all;
}

RuleTestResult run_test(const UnitTestFile& file, const UnitTest& test,
                        const std::vector<RuleGroup>& groups, const Clock& clock) {
  const query::promql::ScriptStoreMaker make_store = make_memory_script_store;
  RuleTestResult result{.name = test.name, .line = test.line};
  const int64_t begin_ns = clock.monotonic_ns();
  auto failures = watch::rules::run_unit_test(
      file, test, groups, {make_store, clock, watch::rules::expand_rule_template});
  result.seconds = static_cast<double>(clock.monotonic_ns() - begin_ns) / 1e9;
  if (failures) {
    result.failures = std::move(*failures);
  } else {
    result.failures.push_back({test.line, "test " + test.name, failures.error().message, {}});
  }
  return result;
}

RuleTestFile test_file(const std::string& path, const RE2* only, FileSystem& files,
                       const Clock& clock) {
  RuleTestFile report{.path = path};
  const auto text = files.read_file(path);
  if (!text) {
    report.unreadable = true;
    report.error = text.error().message;
    return report;
  }
  const auto tests = watch::rules::read_unit_tests(*text, path);
  if (!tests) {
    report.error = tests.error().message;
    return report;
  }
  const auto groups = rules_of(*tests, files, report.warnings);
  if (!groups) {
    report.error = groups.error().message;
    return report;
  }
  for (const UnitTest& test : tests->tests) {
    if (only == nullptr || RE2::PartialMatch(test.name, *only))
      report.tests.push_back(run_test(*tests, test, *groups, clock));
  }
  return report;
}

int exit_code_of(const RuleTestReport& report) {
  int code = 0;
  for (const RuleTestFile& file : report.files) {
    if (file.unreadable) return kUnreadable;
    if (!file.passed()) code = kWrong;
  }
  return code;
}

void add_check(CLI::App& group, int& exit_code) {
  CLI::App* sub = group.add_subcommand("check", "Read rule files and tell what is wrong in them");
  const auto command = std::make_shared<RulesCheck>();
  const auto format = std::make_shared<std::string>("text");
  const auto lint = std::make_shared<std::string>("duplicate-rules");
  sub->add_option("FILE", command->paths, "Rule files")->required();
  sub->add_option("--format", *format, "text or json")->check(CLI::IsMember({"text", "json"}));
  sub->add_option("--lint", *lint, "all, duplicate-rules or none")
      ->check(CLI::IsMember({"all", "duplicate-rules", "none"}));
  sub->add_flag("--lint-fatal", command->lint_fatal, "Fail when only the lint has complaints");
  sub->add_flag("--experimental", command->experimental, "Take PromQL's experimental functions");
  sub->footer(
      "Exit codes: 0 all are good, 1 a rule is wrong, 2 a file cannot be read, 3 with "
      "--lint-fatal: "
      "only the lint has complaints.");
  sub->callback([command, format, lint, &exit_code] {
    command->json = *format == "json";
    command->lint = *lint != "none";
    exit_code = run_rules_check(*command, real_file_system(), std::cout, std::cerr);
  });
}

void add_test(CLI::App& group, int& exit_code) {
  CLI::App* sub = group.add_subcommand("test", "Run unit tests of rules in promtool's format");
  const auto command = std::make_shared<RulesTest>();
  const auto format = std::make_shared<std::string>("text");
  sub->add_option("FILE", command->paths, "Files of unit tests")->required();
  sub->add_option("--run", command->run, "Run only tests whose name matches this expression");
  sub->add_option("--junit", command->junit, "Write the results to this file as JUnit XML");
  sub->add_option("--format", *format, "text or json")->check(CLI::IsMember({"text", "json"}));
  sub->footer("Exit codes: 0 all passed, 1 a test failed, 2 a file cannot be read.");
  sub->callback([command, format, &exit_code] {
    command->json = *format == "json";
    const SystemClock clock;
    exit_code = run_rules_test(*command, real_file_system(), clock, std::cout, std::cerr);
  });
}

}  // namespace

int run_rules_check(const RulesCheck& command, FileSystem& files, std::ostream& out,
                    std::ostream& err) {
  bool unreadable = false;
  bool wrong = false;
  bool duplicates = false;
  json all = json::array();
  for (const std::string& path : command.paths) {
    const Checked checked = check_file(command, files, path);
    unreadable |= checked.unreadable;
    wrong |= !checked.error.empty();
    duplicates |= !checked.duplicates.empty();
    if (command.json) {
      all.push_back(checked_json(checked));
    } else {
      print_checked(checked, out, err);
    }
  }
  if (command.json) {
    // A file is bytes; JSON is UTF-8.
    out << json{{"passed", !wrong}, {"files", std::move(all)}}.dump(2, ' ', false,
                                                                    json::error_handler_t::replace)
        << '\n';
  }
  if (unreadable) return kUnreadable;
  if (wrong) return kWrong;
  return duplicates && command.lint_fatal ? kLintOnly : 0;
}

int run_rules_test(const RulesTest& command, FileSystem& files, const Clock& clock,
                   std::ostream& out, std::ostream& err) {
  std::optional<RE2> only;
  if (!command.run.empty()) {
    only.emplace(command.run, RE2::Quiet);
    if (!only->ok()) {
      err << "binnacle rules test: --run is no regular expression: " << only->error() << '\n';
      return kUnreadable;
    }
  }
  RuleTestReport report{.started_ms = clock.wall_ms()};
  for (const std::string& path : command.paths)
    report.files.push_back(test_file(path, only ? &*only : nullptr, files, clock));
  if (command.json) {
    out << rule_tests_json(report);
  } else {
    print_rule_tests(report, out, err);
  }
  if (!command.junit.empty()) {
    const Status written = files.write_file_atomically(command.junit, rule_tests_junit(report));
    if (!written) {
      err << "binnacle rules test: " << written.error().message << '\n';
      return kUnreadable;
    }
  }
  return exit_code_of(report);
}

void add_rules_commands(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("rules", "Check and test rule files without a server");
  group->require_subcommand(1);
  add_check(*group, exit_code);
  add_test(*group, exit_code);
}

}  // namespace binnacle::app
