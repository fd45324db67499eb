#include "app/check_print.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include <fmt/format.h>

#include "base/instruments.h"
#include "base/xml_text.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using watch::health::Health;

// A field of text, "" where there is none.
std::string text_of(const json& object, const char* name) {
  const auto field = object.find(name);
  return field != object.end() && field->is_string() ? field->get<std::string>() : std::string();
}

Health health_of(const json& object, const char* name = "status") {
  return watch::health::health_of_name(text_of(object, name)).value_or(Health::kUnknown);
}

// The worst first; what nobody knows stands before what is well.
int rank(Health health) {
  switch (health) {
    case Health::kFailed:
      return 0;
    case Health::kCritical:
      return 1;
    case Health::kDegraded:
      return 2;
    case Health::kUnknown:
      return 3;
    case Health::kHealthy:
      break;
  }
  return 4;
}

std::string_view colour(Health health) {
  switch (health) {
    case Health::kFailed:
    case Health::kCritical:
      return "\x1b[1;31m";
    case Health::kDegraded:
      return "\x1b[33m";
    case Health::kHealthy:
      return "\x1b[32m";
    case Health::kUnknown:
      break;
  }
  return "\x1b[35m";
}

std::string painted(Health health, std::string_view text, bool colours) {
  return colours ? fmt::format("{}{}\x1b[0m", colour(health), text) : std::string(text);
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

double took_seconds(const json& check) {
  const auto last = check.find("last");
  return last != check.end() && last->is_object() ? last->value("duration_seconds", 0.0) : 0.0;
}

std::string message_of(const json& check) {
  const auto last = check.find("last");
  if (last != check.end() && last->is_object() &&
      text_of(*last, "status") == text_of(check, "status"))
    return text_of(*last, "message");
  return text_of(check, "reason");
}

std::vector<json> sorted_checks(const json& tree) {
  auto checks = checks_of(tree).get<std::vector<json>>();
  std::ranges::stable_sort(checks, [](const json& a, const json& b) {
    return std::pair(rank(health_of(a)), text_of(a, "name")) <
           std::pair(rank(health_of(b)), text_of(b, "name"));
  });
  return checks;
}

std::string headline(const json& tree, bool colours) {
  const Health overall = overall_of(tree);
  std::string line = fmt::format("cluster {}: {}", text_of(tree, "cluster"),
                                 painted(overall, upper(health_name(overall)), colours));
  if (const auto score = tree.find("score"); score != tree.end() && score->is_number())
    line += fmt::format(", score {}", score->get<int>());
  if (const std::string deciding = text_of(tree, "deciding_check"); !deciding.empty())
    line += fmt::format(", because of {}: {}", deciding, text_of(tree, "reason"));
  return line + "\n";
}

// Nodes that are not as they should be, of which no check may tell.
std::string node_lines(const json& tree, bool colours) {
  std::string out;
  for (const json& node : tree.value("nodes", json::array())) {
    const Health health = health_of(node);
    const std::string state = text_of(node, "state");
    if (state.empty() || health == Health::kHealthy) continue;
    out += fmt::format("node {}: {}, {} since {}\n", text_of(node, "name"),
                       painted(health, health_name(health), colours), state,
                       text_of(node, "state_since"));
  }
  return out;
}

// A text of many lines or with colours of its own would break the table.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  return text;
}

void append_details(const json& check, std::string& out) {
  out += fmt::format("{:10}{} since {}", "", text_of(check, "type"), text_of(check, "since"));
  if (const std::string description = text_of(check, "description"); !description.empty())
    out += ", " + one_line(description);
  out += '\n';
  const auto last = check.find("last");
  if (last == check.end() || !last->is_object()) return;
  for (const json& line : last->value("evidence", json::array())) {
    if (line.is_string()) out += fmt::format("{:10}- {}\n", "", one_line(line.get<std::string>()));
  }
}

std::string print_text(const json& tree, const CheckPrintOptions& options) {
  std::string out = headline(tree, options.colours) + node_lines(tree, options.colours);
  const std::vector<json> checks = sorted_checks(tree);
  size_t name_width = 5, node_width = 4;
  for (const json& check : checks) {
    name_width = std::max(name_width, text_of(check, "name").size());
    node_width = std::max(node_width, text_of(check, "node").size());
  }
  if (checks.empty()) return out + "no checks\n";
  out += fmt::format("\n{:<10}{:<{}}  {:<{}}  {:>8}  {}\n", "STATUS", "CHECK", name_width, "NODE",
                     node_width, "TOOK", "MESSAGE");
  for (const json& check : checks) {
    const Health health = health_of(check);
    const std::string status = fmt::format("{:<10}", health_name(health));
    std::string message = one_line(message_of(check));
    const auto maintenance = check.find("maintenance");
    if (maintenance != check.end() && maintenance->is_object())
      message = "(maintenance) " + message;
    out += fmt::format("{}{:<{}}  {:<{}}  {:>6.0f}ms  {}\n",
                       painted(health, status, options.colours), text_of(check, "name"), name_width,
                       text_of(check, "node").empty() ? "-" : text_of(check, "node"), node_width,
                       took_seconds(check) * 1'000, message);
    if (options.verbose) append_details(check, out);
  }
  return out;
}

std::string print_junit(const json& tree) {
  const std::vector<json> checks = sorted_checks(tree);
  size_t failures = 0, skipped = 0;
  double seconds = 0;
  std::string cases;
  for (const json& check : checks) {
    const Health health = health_of(check);
    const std::string group =
        text_of(check, "node").empty() ? text_of(tree, "cluster") : text_of(check, "node");
    seconds += took_seconds(check);
    cases += fmt::format("    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3f}\"",
                         xml_escape(group), xml_escape(text_of(check, "component")),
                         xml_escape(text_of(check, "name")), took_seconds(check));
    const std::string message = xml_escape(message_of(check));
    if (health == Health::kHealthy) {
      cases += "/>\n";
    } else if (health == Health::kUnknown) {
      ++skipped;
      cases += fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", message);
    } else {
      ++failures;
      cases += fmt::format(">\n      <failure type=\"{}\" message=\"{}\"/>\n    </testcase>\n",
                           health_name(health), message);
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
      "  <testsuite name=\"binnacle check\" tests=\"{}\" failures=\"{}\" errors=\"0\" "
      "skipped=\"{}\" time=\"{:.3f}\" timestamp=\"{}\">\n{}  </testsuite>\n</testsuites>\n",
      checks.size(), failures, skipped, seconds, xml_escape(text_of(tree, "timestamp")), cases);
}

std::string print_prometheus(const json& tree) {
  constexpr const char* kNumbers = "0 healthy, 1 degraded, 2 critical, 3 failed, 4 unknown.";
  Registry series;
  series.gauge("binnacle_health_status", kNumbers, {{"scope", "cluster"}})
      .set(static_cast<double>(overall_of(tree)));
  for (const json& check : sorted_checks(tree)) {
    const InstrumentLabels labels = {{"check", text_of(check, "name")},
                                     {"component", text_of(check, "component")},
                                     {"kind", text_of(check, "type")},
                                     {"node", text_of(check, "node")}};
    series.gauge("binnacle_health_check_status", kNumbers, labels)
        .set(static_cast<double>(health_of(check)));
    series.gauge("binnacle_health_check_duration_seconds", "How long the last run took.", labels)
        .set(took_seconds(check));
  }
  return series.write(TextFormat::kPrometheus004);
}

}  // namespace

json checks_of(const json& tree) {
  json checks = json::array();
  const auto take = [&](const json& parent) {
    for (const json& component : parent.value("components", json::array())) {
      for (const json& check : component.value("checks", json::array())) checks.push_back(check);
    }
  };
  take(tree);
  for (const json& node : tree.value("nodes", json::array())) take(node);
  return checks;
}

Health overall_of(const json& tree) { return health_of(tree, "overall_status"); }

std::string print_health(const json& tree, const CheckPrintOptions& options) {
  switch (options.format) {
    case CheckFormat::kJson:
      return tree.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
    case CheckFormat::kJunit:
      return print_junit(tree);
    case CheckFormat::kPrometheus:
      return print_prometheus(tree);
    case CheckFormat::kText:
      break;
  }
  return print_text(tree, options);
}

int exit_code_of(Health overall) {
  switch (overall) {
    case Health::kHealthy:
      return 0;
    case Health::kDegraded:
      return 2;
    case Health::kCritical:
    case Health::kFailed:
      return 1;
    case Health::kUnknown:
      break;
  }
  return 3;
}

}  // namespace binnacle::app
