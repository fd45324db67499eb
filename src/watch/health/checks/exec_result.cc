#include "watch/health/checks/exec_result.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "watch/health/checks/json_path.h"
#include "watch/health/checks/verdict.h"

namespace binnacle::watch::health {
namespace {

struct Unit {
  std::string_view text;
  double factor;
  std::string_view base;
};
// Nagios' units of measure, in base units.
constexpr std::array<Unit, 10> kUnits{{{"s", 1, "seconds"},
                                       {"ms", 1e-3, "seconds"},
                                       {"us", 1e-6, "seconds"},
                                       {"%", 0.01, "ratio"},
                                       {"B", 1, "bytes"},
                                       {"KB", 1024, "bytes"},
                                       {"MB", 1048576, "bytes"},
                                       {"GB", 1073741824, "bytes"},
                                       {"TB", 1099511627776, "bytes"},
                                       {"c", 1, ""}}};

std::string_view first_line(std::string_view text) {
  while (text.starts_with('\n') || text.starts_with(' ') || text.starts_with('\r'))
    text.remove_prefix(1);
  return text.substr(0, text.find('\n'));
}

Health health_of_exit(const ProgramExit& exit) {
  constexpr std::array kByCode{Health::kHealthy, Health::kDegraded, Health::kCritical,
                               Health::kUnknown};
  if (exit.signalled || exit.code < 0 || exit.code > 3) return Health::kUnknown;
  return kByCode[static_cast<size_t>(exit.code)];
}

std::string exit_text(const ProgramExit& exit) {
  return exit.signalled ? fmt::format("ended by signal {}", exit.code)
                        : fmt::format("exit code {}", exit.code);
}

// The first value of "label=12.5ms;warn;crit 'other label'=3".
void take_value(std::string_view data, Reading& reading) {
  const size_t equals = data.find('=');
  if (equals == std::string_view::npos) return;
  data.remove_prefix(equals + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), value);
  if (error != std::errc()) return;
  data.remove_prefix(static_cast<size_t>(end - data.data()));
  const std::string_view unit = data.substr(0, data.find_first_of("; \n\r"));
  reading.value = value;
  for (const Unit& known : kUnits) {
    if (unit != known.text) continue;
    reading.value = value * known.factor;
    reading.unit = known.base;
  }
}

Reading read_nagios(const ProgramExit& exit, std::string_view out, std::string_view err) {
  Reading reading{.health = health_of_exit(exit)};
  const size_t bar = std::min(out.find('|'), out.size());
  std::string message = one_line(first_line(out.substr(0, bar)), 400);
  if (message.empty()) message = one_line(first_line(err), 400);
  if (bar < out.size()) take_value(out.substr(bar + 1), reading);
  const bool odd = exit.signalled || exit.code < 0 || exit.code > 3;
  if (odd || message.empty())
    message += (message.empty() ? "" : " (") + exit_text(exit) + (message.empty() ? "" : ")");
  reading.message = std::move(message);
  return reading;
}

std::optional<Health> health_of_word(std::string_view word) {
  if (const auto health = health_of_name(word)) return health;
  if (word == "ok" || word == "OK") return Health::kHealthy;
  if (word == "warning" || word == "WARNING") return Health::kDegraded;
  if (word == "CRITICAL") return Health::kCritical;
  if (word == "UNKNOWN") return Health::kUnknown;
  return std::nullopt;
}

std::optional<JsonFound> member(const JsonBody& body, std::string_view name) {
  return body.find(*JsonPath::parse(fmt::format("$.{}", name)));
}

Reading read_json(const ProgramExit& exit, std::string_view out) {
  Reading reading{.health = health_of_exit(exit)};
  const auto body = JsonBody::parse(out);
  if (!body) {
    reading.health = Health::kUnknown;
    reading.message = "its output begins like JSON and is not; " + exit_text(exit);
    return reading;
  }
  if (const auto status = member(*body, "status")) {
    const auto health = health_of_word(status->text);
    if (!health) {
      reading.health = Health::kUnknown;
      reading.message = "unknown status (" + one_line(status->text, 50) +
                        "): one of healthy, degraded, critical, failed, unknown";
      return reading;
    }
    reading.health = worse_of(*health, reading.health);
  }
  if (const auto message = member(*body, "message")) reading.message = one_line(message->text, 400);
  if (reading.message.empty()) reading.message = exit_text(exit);
  const auto value = member(*body, "value");
  if (value && value->kind == JsonFound::Kind::kNumber) reading.value = value->number;
  if (const auto unit = member(*body, "unit")) reading.unit = one_line(unit->text, 20);
  return reading;
}

}  // namespace

Reading read_exec_result(ExecFormat format, const ProgramExit& exit, std::string_view out,
                         std::string_view err) {
  const bool json = format == ExecFormat::kJson ||
                    (format == ExecFormat::kAuto && first_line(out).starts_with('{'));
  return json ? read_json(exit, out) : read_nagios(exit, out, err);
}

}  // namespace binnacle::watch::health
