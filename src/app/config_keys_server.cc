#include "app/config_keys.h"

namespace binnacle::app {
namespace {

void add_listen_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(
      {.path = "server.listen",
       .type = ConfigType::kObjects,
       .default_text = "[{}]",
       .meaning = "What to bind; each entry has its own address, TLS, auth and route groups."});
  keys.push_back({.path = "server.listen[].address",
                  .default_text = "127.0.0.1:8080",
                  .meaning =
                      "`host:port`, `[v6]:port`, `:port` (all addresses) or `unix:/path`; port 0 "
                      "picks a free one. Anything but loopback needs keys or mTLS.",
                  .check = check_listen_address});
  keys.push_back({.path = "server.listen[].groups",
                  .type = ConfigType::kStrings,
                  .default_text = "[page, api, ingest, gateway, link, probes]",
                  .meaning = "Route groups that this address serves.",
                  .choices = {"page", "api", "ingest", "gateway", "link", "probes"}});
  keys.push_back({.path = "server.listen[].auth",
                  .type = ConfigType::kEnum,
                  .default_text = "keys",
                  .meaning =
                      "`keys`: routes ask for a key once one exists; `none`: this address asks for "
                      "none.",
                  .choices = {"keys", "none"}});
  keys.push_back({.path = "server.listen[].tls.certificate_file",
                  .meaning =
                      "PEM file of the certificate chain; set it to serve TLS. Its bytes are read "
                      "again when they change and on reload."});
  keys.push_back({.path = "server.listen[].tls.key_file",
                  .meaning = "PEM file of the certificate's private key."});
  keys.push_back({.path = "server.listen[].tls.client_ca_file",
                  .meaning =
                      "PEM file of the authorities that client certificates are checked against; "
                      "set it to ask clients for one."});
  keys.push_back({.path = "server.listen[].tls.require_client_certificate",
                  .type = ConfigType::kBool,
                  .default_text = "false",
                  .meaning = "Refuse clients without a certificate (mTLS)."});
}

void add_process_keys(std::vector<ConfigKey>& keys) {
  keys.push_back(
      {.path = "server.grpc_listen",
       .default_text = "127.0.0.1:8081",
       .meaning = "Address of the gRPC health service (docs/health.md); empty: off. Anything but "
                  "loopback needs keys or mTLS.",
       .check = check_door_address});
  keys.push_back({.path = "server.grpc_auth",
                  .type = ConfigType::kEnum,
                  .default_text = "keys",
                  .meaning =
                      "`keys`: the gRPC port asks for a key once one exists, but for the service "
                      "`\"\"`; `none`: it asks for none.",
                  .choices = {"keys", "none"}});
  keys.push_back({.path = "server.grpc_tls",
                  .type = ConfigType::kBool,
                  .default_text = "true",
                  .meaning =
                      "The gRPC port has the TLS settings of the first entry of `server.listen` "
                      "that has any; `false`: it is plain. Renewed files are read within 10 s."});
  keys.push_back({.path = "server.data_dir",
                  .meaning =
                      "Folder of everything that is stored. Not set: `/var/lib/binnacle` for root, "
                      "else `$XDG_STATE_HOME/binnacle`, else `~/.local/state/binnacle`."});
  keys.push_back(
      {.path = "server.insecure",
       .type = ConfigType::kBool,
       .default_text = "false",
       .meaning = "Allow addresses beyond loopback without keys or mTLS, as `--insecure` does."});
  keys.push_back({.path = "server.allowed_hosts",
                  .type = ConfigType::kStrings,
                  .default_text = "[]",
                  .meaning =
                      "Further names by which browsers reach this server (`Host` and `Origin`); "
                      "others than these, the bound addresses and localhost are refused.",
                  .reload = Reload::kLive,
                  .check = check_host_name});
  keys.push_back(
      {.path = "server.io_threads",
       .type = ConfigType::kInt,
       .default_text = "0",
       .unit = "threads",
       .meaning = "Threads that run sockets and timers; 0 is one for each core, at most 4.",
       .min = "0",
       .max = "256"});
  keys.push_back({.path = "server.pool_threads",
                  .type = ConfigType::kInt,
                  .default_text = "0",
                  .unit = "threads",
                  .meaning =
                      "Threads for queries, disk and compression; 0 is one for each core, at "
                      "least 2.",
                  .min = "0",
                  .max = "256"});
  keys.push_back({.path = "server.drain_timeout",
                  .type = ConfigType::kDuration,
                  .default_text = "10s",
                  .meaning = "How long requests in flight may go on after SIGTERM.",
                  .reload = Reload::kLive,
                  .max = "1h"});
  keys.push_back({.path = "server.access_log",
                  .type = ConfigType::kBool,
                  .default_text = "false",
                  .meaning = "One log line of component `access` for each request.",
                  .reload = Reload::kLive});
}

ConfigKey limit(std::string path, ConfigType type, std::string text, std::string min,
                std::string max, std::string unit, std::string meaning, Reload reload) {
  return {.path = "server.limits." + path,
          .type = type,
          .default_text = std::move(text),
          .unit = std::move(unit),
          .meaning = std::move(meaning),
          .reload = reload,
          .min = std::move(min),
          .max = std::move(max)};
}

void add_limit_keys(std::vector<ConfigKey>& keys) {
  using enum ConfigType;
  using enum Reload;
  keys.push_back(limit("max_connections", kInt, "10000", "1", "1000000", "connections",
                       "Open at a time; further ones get 503.", kLive));
  keys.push_back(limit("max_header_bytes", kBytes, "32KiB", "1KiB", "1MiB", "",
                       "Of a request's head; 431 beyond.", kLive));
  keys.push_back(limit("header_timeout", kDuration, "10s", "100ms", "10m", "",
                       "From a request's first byte to the end of its head; 408 beyond.", kLive));
  keys.push_back(limit("idle_timeout", kDuration, "75s", "1s", "1h", "",
                       "Between requests of a kept connection.", kLive));
  keys.push_back(limit("write_timeout", kDuration, "30s", "100ms", "10m", "",
                       "Without the client taking a byte.", kLive));
  keys.push_back(limit("min_body_bytes_per_second", kBytes, "240B", "0B", "1MiB", "",
                       "Slower senders of a body get 408 after 5 s; 0 waits for them.", kLive));
  keys.push_back(limit("compress_from_bytes", kBytes, "1KiB", "0B", "1GiB", "",
                       "Smaller answers go out uncompressed.", kLive));
  keys.push_back(
      limit("max_body_bytes", kBytes, "1MiB", "1KiB", "1GiB", "",
            "Of a request's body, after decompression, on routes that set no bound of their "
            "own; 413 beyond.",
            kRestart));
  keys.push_back(limit("request_timeout", kDuration, "30s", "100ms", "1h", "",
                       "Of a whole exchange, on routes that set none of their own; 503 beyond.",
                       kRestart));
  keys.push_back(limit("max_concurrent", kInt, "1024", "1", "1000000", "requests",
                       "At a time on one route, where it sets no bound of its own; 503 beyond.",
                       kRestart));
}

void add_rate_keys(std::vector<ConfigKey>& keys) {
  struct Group {
    std::string_view name, rate, what;
  };
  constexpr Group kGroups[] = {
      {"page", "100", "the page and its files"},
      {"api", "500", "the read and control APIs"},
      {"ingest", "5000", "remote write, OTLP, log push and Pushgateway"},
      {"gateway", "1000", "the OpenAI-compatible gateway"},
      {"link", "100", "connections of agents and workers"},
      {"probes", "100", "health, readiness and metrics of this process"},
  };
  for (const Group& group : kGroups) {
    keys.push_back({.path = "server.rate_limit." + std::string(group.name),
                    .type = ConfigType::kFloat,
                    .default_text = std::string(group.rate),
                    .unit = "requests per second and client",
                    .meaning = "For " + std::string(group.what) + "; 429 beyond, 0 is no limit.",
                    .reload = Reload::kLive,
                    .min = "0",
                    .max = "1000000"});
  }
}

}  // namespace

std::vector<ConfigKey> server_keys() {
  std::vector<ConfigKey> keys;
  add_listen_keys(keys);
  add_process_keys(keys);
  add_limit_keys(keys);
  add_rate_keys(keys);
  return keys;
}

}  // namespace binnacle::app
