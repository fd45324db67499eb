#include "app/alert_config_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/alerts_settings.h"
#include "watch/alerts/alert_config.h"
#include "watch/alerts/matcher_text.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using watch::alerts::AlertConfig;
using watch::alerts::Route;

size_t count_routes(const Route& route) {
  size_t count = 1;
  for (const Route& below : route.routes) count += count_routes(below);
  return count;
}

void print_summary(const std::string& path, const AlertConfig& config, std::ostream& out) {
  out << fmt::format(
      "{}: fine\n  {} routes, {} receivers, {} inhibit rules, {} time intervals, "
      "{} template files\n",
      path, count_routes(config.route), config.receivers.size(), config.inhibit_rules.size(),
      config.time_intervals.size(), config.template_files.size());
  if (!config.escalations.empty() || !config.maintenance.empty())
    out << fmt::format("  {} escalations, {} maintenance windows\n", config.escalations.size(),
                       config.maintenance.size());
  for (const std::string& warning : config.warnings) out << "  warning: " << warning << '\n';
}

Result<model::Labels> read_labels(const std::vector<std::string>& texts) {
  model::LabelsBuilder labels;
  for (const std::string& text : texts) {
    TRY_ASSIGN(const model::Matchers matchers, watch::alerts::parse_matchers(text));
    for (const model::Matcher& matcher : matchers) {
      if (matcher.op() != model::MatchOp::kEqual)
        return fail(Code::kInvalidArgument,
                    fmt::format("{}: write a label of the alert as name=value", text));
      labels.set(matcher.name(), matcher.value());
    }
  }
  return labels.build();
}

// Whether an alert that the route takes gets to it, and not only to a route below.
bool is_leaf(const std::vector<const Route*>& leaves, const Route& route) {
  return std::ranges::find(leaves, &route) != leaves.end();
}

void print_tree(const Route& route, const std::vector<const Route*>& leaves, int depth,
                std::ostream& out) {
  const std::string matchers =
      depth == 0 ? "default" : watch::alerts::format_matchers(route.matchers);
  out << fmt::format("{:{}}{} -> {}{}{}\n", "", depth * 2, matchers, route.receiver,
                     route.continues ? " (continues)" : "",
                     is_leaf(leaves, route) ? "   <- this alert" : "");
  for (const Route& below : route.routes) print_tree(below, leaves, depth + 1, out);
}

Result<std::string> routes_text(const RoutesCommand& command, FileSystem& files, bool& as_wanted) {
  TRY_ASSIGN(const auto config, load_alert_config(command.config_file, files));
  TRY_ASSIGN(const model::Labels alert, read_labels(command.labels));
  std::vector<const Route*> leaves;
  if (!command.labels.empty()) leaves = watch::alerts::routes_of(config->route, alert);
  std::vector<std::string> receivers;
  for (const Route* route : leaves) receivers.push_back(route->receiver);
  const std::string line = fmt::format("{}", fmt::join(receivers, ","));
  as_wanted = command.verify_receivers.empty() || command.verify_receivers == line;
  if (command.json)
    return json{{"labels", alert.view().to_string()}, {"receivers", receivers}}.dump(2) + "\n";
  std::ostringstream out;
  print_tree(config->route, leaves, 0, out);
  if (!command.labels.empty()) out << "\nreceivers: " << line << '\n';
  return out.str();
}

int refuse(const Error& error, std::ostream& err) {
  err << "binnacle alert: " << error.message << '\n';
  return 1;
}

}  // namespace

int check_alert_configs(const std::vector<std::string>& paths, FileSystem& files, std::ostream& out,
                        std::ostream& err) {
  int code = 0;
  for (const std::string& path : paths) {
    const auto config = load_alert_config(path, files);
    if (config) {
      print_summary(path, **config, out);
    } else {
      code = refuse(config.error(), err);
    }
  }
  return code;
}

int show_alert_routes(const RoutesCommand& command, FileSystem& files, std::ostream& out,
                      std::ostream& err) {
  bool as_wanted = true;
  const auto text = routes_text(command, files, as_wanted);
  if (!text) return refuse(text.error(), err);
  out << *text;
  if (as_wanted) return 0;
  err << fmt::format("binnacle alert: other receivers than {}\n", command.verify_receivers);
  return 1;
}

void add_alert_config_commands(CLI::App& group, int& exit_code) {
  CLI::App* check = group.add_subcommand("check-config", "Check files of Alertmanager's format");
  const auto paths = std::make_shared<std::vector<std::string>>();
  check->add_option("FILE", *paths, "alertmanager.yml")->required();
  check->callback([paths, &exit_code] {
    exit_code = check_alert_configs(*paths, real_file_system(), std::cout, std::cerr);
  });
  CLI::App* routes = group.add_subcommand("routes", "Routes of an alertmanager.yml");
  routes->require_subcommand(1);
  const auto command = std::make_shared<RoutesCommand>();
  const auto add = [&](const char* name, const char* meaning) {
    CLI::App* sub = routes->add_subcommand(name, meaning);
    sub->add_option("--config", command->config_file, "The file")->required();
    sub->callback([command, &exit_code] {
      exit_code = show_alert_routes(*command, real_file_system(), std::cout, std::cerr);
    });
    return sub;
  };
  add("show", "The tree");
  CLI::App* test = add("test", "Which receivers an alert with these labels gets to");
  test->add_option("LABEL", command->labels, "As severity=critical")->required();
  test->add_option("--verify-receivers", command->verify_receivers,
                   "Fail unless these get it, as a,b");
  test->add_option_function<std::string>(
          "--format", [command](const std::string& format) { command->json = format == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
}

}  // namespace binnacle::app
