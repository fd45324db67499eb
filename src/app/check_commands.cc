#include "app/check_commands.h"

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/check_local.h"
#include "base/config_units.h"
#include "base/glob.h"
#include "base/json_parse.h"
#include "base/signals.h"
#include "net/client.h"
#include "net/io_threads.h"
#include "watch/health/roll_up.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using watch::health::Health;

constexpr int64_t kLookMs = 100;
constexpr size_t kNamesInProgress = 3;
constexpr int64_t kAskMs = 30'000;
const int kUnknownCode = exit_code_of(Health::kUnknown);

// Where the tree comes from, round by round.
class HealthSource {
 public:
  virtual ~HealthSource() = default;
  // nullopt: a signal came.
  virtual Result<std::optional<json>> next() = 0;
};

// Keeps the checks that are asked for, and what becomes of the whole by them alone.
json only_of(json tree, const std::vector<std::string>& only) {
  if (only.empty()) return tree;
  Health worst = Health::kHealthy;
  size_t kept = 0;
  const auto thin = [&](json& parent) {
    if (!parent.contains("components")) return;
    for (json& component : parent["components"]) {
      json checks = json::array();
      for (json& check : component["checks"]) {
        const std::string name = check.value("name", "");
        if (std::ranges::none_of(
                only, [&](const std::string& pattern) { return matches_glob(pattern, name); }))
          continue;
        ++kept;
        const auto health =
            watch::health::health_of_name(check.value("status", "")).value_or(Health::kUnknown);
        if (watch::health::badness(health) > watch::health::badness(worst)) worst = health;
        checks.push_back(std::move(check));
      }
      component["checks"] = std::move(checks);
    }
  };
  thin(tree);
  for (json& node : tree["nodes"]) thin(node);
  tree["overall_status"] = health_name(kept == 0 ? Health::kUnknown : worst);
  for (const char* of_all : {"score", "deciding_check", "reason"}) tree.erase(of_all);
  return tree;
}

class ServerSource final : public HealthSource {
 public:
  ServerSource(const CheckCommand& command, FileSystem& files)
      : command_(command), client_({}, files) {
    io_.start();
  }

  Result<std::optional<json>> next() override {
    net::ClientRequest request{.url = command_.server + "/api/health",
                               .timeout = std::chrono::milliseconds(kAskMs)};
    if (!command_.key.empty()) request.headers.set("Authorization", "Bearer " + command_.key);
    TRY_ASSIGN(const net::Response answer, client_.send_blocking(io_, std::move(request)));
    json tree = parse_json(answer.body);
    if (!tree.is_object() || !tree.contains("overall_status")) {
      return fail(
          Code::kUnavailable,
          fmt::format("{}: the answer is not that of a Binnacle server (status {}); give its "
                      "address with --server, a key with --key, or run checks of a file "
                      "here with --config",
                      command_.server, answer.status));
    }
    return std::optional(only_of(std::move(tree), command_.only));
  }

 private:
  const CheckCommand& command_;
  net::IoThreads io_{1};
  net::Client client_;
};

class LocalSource final : public HealthSource {
 public:
  LocalSource(const CheckCommand& command, std::unique_ptr<LocalChecks> checks, std::ostream& err)
      : command_(command), checks_(std::move(checks)), err_(err) {}

  Result<std::optional<json>> next() override {
    if (started_) {
      checks_->again();
    } else {
      checks_->start();
      started_ = true;
    }
    while (checks_->done() < checks_->total()) {
      show_progress();
      if (wait_for_signal(kLookMs) == Signal::kStop) {
        clear_progress();
        return std::optional<json>();
      }
    }
    clear_progress();
    return std::optional(checks_->tree());
  }

 private:
  void show_progress() {
    if (!command_.progress) return;
    std::vector<std::string> names = checks_->waiting_for();
    const size_t more = names.size() > kNamesInProgress ? names.size() - kNamesInProgress : 0;
    names.resize(names.size() - more);
    err_ << fmt::format("\r\x1b[K{} of {} done, waiting for {}{}", checks_->done(),
                        checks_->total(), fmt::join(names, ", "),
                        more == 0 ? "" : fmt::format(" and {} more", more))
         << std::flush;
  }
  void clear_progress() {
    if (command_.progress) err_ << "\r\x1b[K" << std::flush;
  }

  const CheckCommand& command_;
  const std::unique_ptr<LocalChecks> checks_;
  std::ostream& err_;
  bool started_ = false;
};

Result<std::unique_ptr<HealthSource>> source_of(const CheckCommand& command, FileSystem& files,
                                                const Clock& clock, std::ostream& err) {
  if (command.files.empty()) return std::make_unique<ServerSource>(command, files);
  TRY_ASSIGN(auto checks, LocalChecks::create({.files = command.files,
                                               .only = command.only,
                                               .continuous = command.continuous,
                                               .interval_ms = command.interval_ms},
                                              files, clock));
  return std::make_unique<LocalSource>(command, std::move(checks), err);
}

Status show(const CheckCommand& command, const json& tree, FileSystem& files, std::ostream& out) {
  const std::string text = print_health(tree, command.print);
  if (!command.output.empty()) return files.write_file_atomically(command.output, text);
  out << text;
  if (command.continuous && command.print.format == CheckFormat::kText) out << '\n';
  out << std::flush;
  return {};
}

int refuse(const Error& error, std::ostream& err) {
  err << "binnacle check: " << error.message << '\n';
  return kUnknownCode;
}

const std::map<std::string, CheckFormat>& formats() {
  static const std::map<std::string, CheckFormat> by_name{{"text", CheckFormat::kText},
                                                          {"json", CheckFormat::kJson},
                                                          {"junit", CheckFormat::kJunit},
                                                          {"prometheus", CheckFormat::kPrometheus}};
  return by_name;
}

}  // namespace

int run_check(const CheckCommand& command, FileSystem& files, const Clock& clock, std::ostream& out,
              std::ostream& err) {
  const auto source = source_of(command, files, clock, err);
  if (!source) return refuse(source.error(), err);
  int code = kUnknownCode;
  for (;;) {
    const auto tree = (*source)->next();
    if (tree && !*tree) return code;
    if (tree) {
      if (const Status shown = show(command, **tree, files, out); !shown)
        return refuse(shown.error(), err);
      code = exit_code_of(overall_of(**tree));
    } else {
      code = refuse(tree.error(), err);
    }
    // A server that is away for a while is asked again by who watches on.
    if (!command.continuous || wait_for_signal(command.interval_ms) == Signal::kStop) return code;
  }
}

void add_check_command(CLI::App& root, int& exit_code) {
  CLI::App* sub = root.add_subcommand(
      "check", "Run health checks of a file here, or ask a server how things stand");
  const auto command = std::make_shared<CheckCommand>();
  const auto format = std::make_shared<std::string>("text");
  const auto interval = std::make_shared<std::string>("30");
  CLI::Option* config = sub->add_option(
      "--config", command->files, "A YAML file of checks to run here (docs/health-checks.md)");
  sub->add_option("--server", command->server, "The server to ask")
      ->capture_default_str()
      ->excludes(config);
  sub->add_option("--key", command->key, "A viewer's key for the server")->envname("BINNACLE_KEY");
  sub->add_option("--only", command->only, "Only checks of this name or pattern, as api-*")
      ->delimiter(',');
  sub->add_flag("--continuous", command->continuous, "Go on until SIGINT or SIGTERM");
  sub->add_option("--interval", *interval, "Between two rounds: seconds, or a duration as 1m")
      ->capture_default_str();
  sub->add_option("--format", *format, "text, json, junit or prometheus")
      ->check(CLI::IsMember({"text", "json", "junit", "prometheus"}))
      ->capture_default_str();
  sub->add_option("--output", command->output, "Write to this file instead, anew each round");
  sub->add_flag("--verbose,-v", command->print.verbose, "Tell kinds, times and evidence as well");
  sub->footer("Exit codes: 0 healthy, 1 critical or failed, 2 degraded, 3 unknown.");
  sub->callback([command, format, interval, &exit_code] {
    const bool bare = interval->find_first_not_of("0123456789") == std::string::npos;
    const auto interval_ms = parse_duration_ms(bare ? *interval + "s" : *interval);
    if (!interval_ms || *interval_ms < 100)
      throw CLI::ValidationError("--interval", *interval + " is no duration of 100ms or more");
    command->interval_ms = *interval_ms;
    command->print.format = formats().at(*format);
    command->print.colours = command->output.empty() && ::isatty(STDOUT_FILENO) == 1;
    command->progress = ::isatty(STDERR_FILENO) == 1;
    exit_code = run_check(*command, real_file_system(), SystemClock(), std::cout, std::cerr);
  });
}

}  // namespace binnacle::app
