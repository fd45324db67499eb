#include "app/config_keys.h"

#include "base/config.h"
#include "base/config_units.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

namespace binnacle::app {
namespace {

constexpr size_t kMaxUnixPath = 107;  // sockaddr_un's sun_path without its final NUL

bool is_port(std::string_view text) {
  unsigned port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stop == end && port <= 65535;
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '-' || c == '_'; });
}

// "[::1]", with a zone where there is one.
bool is_bracketed(std::string_view text) {
  if (text.size() < 4 || !text.starts_with('[') || !text.ends_with(']')) return false;
  text = text.substr(1, text.size() - 2);
  return text.find(':') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == ':' || c == '.' || c == '%'; });
}

void check_tls(const Config& listener, size_t index, ConfigProblems& problems) {
  const auto& certificate = listener.get_string("tls.certificate_file");
  const auto& key = listener.get_string("tls.key_file");
  const auto& client_ca = listener.get_string("tls.client_ca_file");
  const auto complain = [&](std::string_view at, std::string_view missing,
                            std::string_view advice) {
    problems.add(listener.line_of(at), fmt::format("server.listen[{}].{}: {} is not set: {}", index,
                                                   at, missing, advice));
  };
  if (!certificate.empty() && key.empty()) {
    complain("tls.certificate_file", "tls.key_file", "give the certificate's private key");
  }
  if (certificate.empty() && !key.empty()) {
    complain("tls.key_file", "tls.certificate_file", "give the key's certificate");
  }
  if (!client_ca.empty() && certificate.empty() && key.empty()) {
    complain("tls.client_ca_file", "tls.certificate_file", "client certificates need TLS");
  }
  if (listener.get_bool("tls.require_client_certificate") && client_ca.empty()) {
    complain("tls.require_client_certificate", "tls.client_ca_file",
             "give the authority that signs client certificates");
  }
}

}  // namespace

const ConfigSchema& config_schema() {
  static const ConfigSchema schema = [] {
    std::vector<ConfigKey> keys = server_keys();
    for (auto more :
         {log_keys(), data_keys(), scrape_keys(), engine_keys(), health_keys(), rule_keys(),
          objective_keys(), alert_keys(), watch_keys(), link_keys(), agent_keys()}) {
      std::move(more.begin(), more.end(), std::back_inserter(keys));
    }
    return ConfigSchema(std::move(keys),
                        {check_listeners, check_lockout, check_promotion, check_objectives});
  }();
  return schema;
}

ConfigKey duration_key(std::string path, int64_t default_ms, std::string min, std::string max,
                       std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kDuration,
          .default_text = format_duration_ms(default_ms),
          .meaning = std::move(meaning),
          .min = std::move(min),
          .max = std::move(max)};
}

ConfigKey count_key(std::string path, int64_t default_value, std::string unit, std::string min,
                    std::string max, std::string meaning) {
  return {.path = std::move(path),
          .type = ConfigType::kInt,
          .default_text = std::to_string(default_value),
          .unit = std::move(unit),
          .meaning = std::move(meaning),
          .min = std::move(min),
          .max = std::move(max)};
}

std::string check_regex(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 regex(re2::StringPiece(pattern.data(), pattern.size()), options);
  return regex.ok() ? "" : fmt::format("mend the regex: {}", regex.error());
}

std::string check_listen_address(std::string_view address) {
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) {
    const size_t length = address.size() - kUnix.size();
    return length > 0 && length <= kMaxUnixPath
               ? ""
               : fmt::format("write unix: and a path of 1 to {} bytes", kMaxUnixPath);
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return "add the port, for example 127.0.0.1:8080";
  const std::string_view host = address.substr(0, colon);
  if (!is_name(host) && !is_bracketed(host)) {
    return "write host:port, with an IPv6 address in brackets: [::1]:8080";
  }
  return is_port(address.substr(colon + 1)) ? "" : "write a port from 0 to 65535 after the colon";
}

std::string check_door_address(std::string_view address) {
  if (address.empty()) return "";
  if (address.starts_with("unix:")) return "write host:port";
  return check_listen_address(address);
}

std::string check_host_name(std::string_view name) {
  const size_t colon = name.rfind(':');
  const bool has_port = colon != std::string_view::npos && !name.ends_with(']');
  const std::string_view host = has_port ? name.substr(0, colon) : name;
  const bool good = !host.empty() && (is_name(host) || is_bracketed(host)) &&
                    (!has_port || is_port(name.substr(colon + 1)));
  return good ? ""
              : "write a host name or address, with :port where only that one counts; no scheme or "
                "path";
}

void check_listeners(const Config& config, ConfigProblems& problems) {
  if (config.list_size("server.listen") == 0) {
    problems.add(config.line_of("server.listen"),
                 "server.listen: no entry: give one, or remove the line for 127.0.0.1:8080");
  }
  std::map<std::string, size_t> first_of;
  for (size_t i = 0; i < config.list_size("server.listen"); ++i) {
    const Config listener = config.at("server.listen", i);
    check_tls(listener, i, problems);
    const std::string& address = listener.get_string("address");
    // Port 0 picks another free port each time.
    if (address.ends_with(":0")) continue;
    const auto [first, is_new] = first_of.emplace(address, i);
    if (is_new) continue;
    problems.add(listener.line_of("address"),
                 fmt::format("server.listen[{}].address: bound already", i), address,
                 fmt::format("server.listen[{}] has it; give each entry its own", first->second));
  }
}

void check_lockout(const Config& config, ConfigProblems& problems) {
  if (config.get_duration_ms("access.lockout_base") <=
      config.get_duration_ms("access.lockout_max")) {
    return;
  }
  const int line =
      std::max(config.line_of("access.lockout_base"), config.line_of("access.lockout_max"));
  problems.add(line,
               "access.lockout_max: shorter than access.lockout_base: the first lockout may not be "
               "longer than the longest");
}

void check_promotion(const Config& config, ConfigProblems& problems) {
  const bool all = config.get_bool("collect.otlp.promote_all_resource_attributes");
  const std::string_view list =
      all ? "collect.otlp.promote_resource_attributes" : "collect.otlp.ignore_resource_attributes";
  if (config.get_strings(list).empty()) return;
  problems.add(config.line_of(list),
               fmt::format("{}: not beside collect.otlp.promote_all_resource_attributes: {}; take "
                           "one away",
                           list, all));
}

std::string config_docs_intro() {
  return R"(# Configuration

<!-- Written by `binnacle config docs` from the table that parses the file; a test compares them. -->

`binnacle server --config FILE` reads one YAML file. Without it, or where a key is not in it, the
defaults below hold. `binnacle config check FILE` names everything that is wrong with a file, each with
its line; `binnacle config print --config FILE` shows what holds, secrets masked.

A file is taken whole or not at all: an unknown key, a wrong type or an impossible value refuses it. On
SIGHUP or `POST /-/reload` it is read again; when anything in it is refused, the running settings stay.
A key marked **live** takes effect at once, one marked **restart** at the next start.

- **duration**: whole numbers with `y`, `w`, `d`, `h`, `m`, `s`, `ms`, from large to small: `1h30m`, `250ms`.
- **bytes**: a whole number with `B`, `kB`, `MB`, `GB` (powers of 1000) or `KiB`, `MiB`, `GiB` (powers of
  1024): `32KiB`.
- `${env:NAME}` and `${file:PATH}` stand for a variable of the environment or for a file's content without
  its last newline, inside any value. One that is missing refuses the file. `$${` is a literal `${`.
- Paths are relative to the folder in which the program was started.
- `server.listen[].address` is the key `address` of each entry of the list `server.listen`.
)";
}

}  // namespace binnacle::app
