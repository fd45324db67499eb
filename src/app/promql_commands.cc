#include "app/promql_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/clock.h"
#include "store/metrics/linear_store.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using query::promql::run_test_script;
using query::promql::ScriptFailure;
using query::promql::ScriptReport;
using query::promql::ScriptStore;

constexpr size_t kShownFailures = 10;

class MemoryScriptStore final : public ScriptStore {
 public:
  model::Appendable& appendable() override { return store_; }
  model::Queryable& queryable() override { return store_; }

 private:
  // Scripts load what and when they like.
  static store::metrics::StoreLimits no_limits() {
    store::metrics::StoreLimits limits;
    constexpr int64_t kForEver = std::numeric_limits<int64_t>::max() / 4;
    limits.late_limit_ms = kForEver;
    limits.out_of_order_ms = kForEver;
    limits.max_ahead_ms = kForEver;
    limits.last_value_wins = true;
    return limits;
  }

  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{clock_, no_limits()};
};

struct Totals {
  size_t passed = 0;
  size_t failed = 0;
  size_t skipped = 0;
  size_t unreadable = 0;

  void add(const ScriptReport& report) {
    passed += report.passed;
    failed += report.failed;
    skipped += report.skipped.size();
  }
  int exit_code() const { return unreadable > 0 ? 2 : failed > 0 ? 1 : 0; }
};

std::string indented(std::string_view lines, std::string_view by) {
  std::string out;
  while (!lines.empty()) {
    const size_t end = std::min(lines.find('\n'), lines.size());
    out += fmt::format("{}{}\n", by, lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

void print_report(const ScriptReport& report, bool all, std::ostream& out) {
  size_t shown = 0;
  for (const ScriptFailure& failure : report.failures) {
    if (!all && shown++ == kShownFailures) {
      out << fmt::format("... and {} more failures (--verbose shows all)\n\n",
                         report.failures.size() - kShownFailures);
      break;
    }
    out << fmt::format("{}:{}: {}\n  {}\n  expected:\n{}  got:\n{}\n", report.file, failure.line,
                       failure.expr, failure.problem, indented(failure.expected, "    "),
                       indented(failure.got, "    "));
  }
  for (size_t i = 0; all && i < report.skipped.size(); ++i)
    out << fmt::format("{}:{}: needs native histograms\n", report.file, report.skipped[i]);
  out << fmt::format("{}: {} passed, {} failed, {} skipped (need native histograms)\n", report.file,
                     report.passed, report.failed, report.skipped.size());
}

json report_json(const ScriptReport& report) {
  json failures = json::array();
  for (const ScriptFailure& failure : report.failures) {
    failures.push_back({{"line", failure.line},
                        {"expr", failure.expr},
                        {"problem", failure.problem},
                        {"expected", failure.expected},
                        {"got", failure.got}});
  }
  return {{"file", report.file},
          {"passed", report.passed},
          {"failed", report.failed},
          {"skipped", report.skipped.size()},
          {"skipped_lines", report.skipped},
          {"histogram_samples", report.histogram_samples},
          {"failures", std::move(failures)}};
}

Result<ScriptReport> run_file(const std::string& path, FileSystem& files) {
  TRY_ASSIGN(const std::string text, files.read_file(path));
  return run_test_script(path, text, make_memory_script_store);
}

// A script is bytes; JSON is UTF-8.
std::string dump(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Result<std::unique_ptr<ScriptStore>> make_memory_script_store() {
  return std::make_unique<MemoryScriptStore>();
}

int run_promql_test(const PromqlTest& command, FileSystem& files, std::ostream& out,
                    std::ostream& err) {
  Totals totals;
  json all = json::array();
  for (const std::string& path : command.paths) {
    const Result<ScriptReport> report = run_file(path, files);
    if (!report) {
      ++totals.unreadable;
      err << "binnacle promql test: " << report.error().message << '\n';
      all.push_back({{"file", path}, {"error", report.error().message}});
      continue;
    }
    totals.add(*report);
    if (command.json) {
      all.push_back(report_json(*report));
    } else {
      print_report(*report, command.verbose, out);
    }
  }
  if (command.json) {
    out << dump({{"files", std::move(all)},
                 {"passed", totals.passed},
                 {"failed", totals.failed},
                 {"skipped", totals.skipped}})
        << '\n';
  } else if (command.paths.size() > 1) {
    out << fmt::format("all {} files: {} passed, {} failed, {} skipped\n", command.paths.size(),
                       totals.passed, totals.failed, totals.skipped);
  }
  return totals.exit_code();
}

void add_promql_commands(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("promql", "Try PromQL out without a server");
  group->require_subcommand(1);
  CLI::App* sub = group->add_subcommand(
      "test", "Run test scripts: series to load, queries, and what they must answer");
  const auto command = std::make_shared<PromqlTest>();
  const auto format = std::make_shared<std::string>("text");
  sub->add_option("FILE", command->paths, "Scripts in the .test language")->required();
  sub->add_option("--format", *format, "text or json")->check(CLI::IsMember({"text", "json"}));
  sub->add_flag("--verbose", command->verbose, "Tell of every failure and of what was skipped");
  sub->footer("Exit codes: 0 all passed, 1 an eval failed, 2 a file is no script.");
  sub->callback([command, format, &exit_code] {
    command->json = *format == "json";
    exit_code = run_promql_test(*command, real_file_system(), std::cout, std::cerr);
  });
}

}  // namespace binnacle::app
