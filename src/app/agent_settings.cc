#include "app/agent_settings.h"

#include <fmt/format.h>

#include "base/data_folder.h"
#include "base/trailing_slash.h"
#include "link/frame.h"
#include "net/client.h"

namespace binnacle::app {
namespace {

std::string either(const std::string& argument, const Config& config, std::string_view path) {
  return argument.empty() ? config.get_string(path) : argument;
}

Status check_server(const std::string& server) {
  if (server.empty()) {
    return fail(
        Code::kInvalidArgument,
        "agent: no server: give its address with --server http://host:port or agent.server");
  }
  const auto url = net::Url::parse(server);
  if (url && (url->scheme == "http" || url->scheme == "https") && url->target == "/" &&
      url->user.empty()) {
    return {};
  }
  return fail(Code::kInvalidArgument,
              fmt::format("agent: --server {:.200}: not a server's address; write "
                          "http://host:port or https://host:port, without a path",
                          server));
}

Status check_length(std::string_view what, const std::string& text, size_t max) {
  if (text.size() <= max) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("agent: --{}: {} bytes, at most {} fit", what, text.size(), max));
}

// Beside a server that is reached by loopback nobody else need reach the agent.
std::string listen_address(const std::string& configured, const std::string& server_url) {
  if (configured == kListenOff) return "";
  if (configured != kListenAuto) return configured;
  const auto url = net::Url::parse(server_url);
  const std::string host = url ? url->host : "";
  if (host == "::1") return "[::1]:0";
  return host == "localhost" || host.starts_with("127.") ? "127.0.0.1:0" : ":0";
}

}  // namespace

Result<AgentSettings> agent_settings(const AgentArgs& args, const Config& config,
                                     const std::string& machine) {
  AgentSettings settings;
  settings.server_url = either(args.server, config, "agent.server");
  TRY(check_server(settings.server_url));
  settings.server_url = without_trailing_slash(std::move(settings.server_url));
  settings.token = either(args.token, config, "agent.token");
  settings.key = config.get_string("agent.key");
  settings.name = either(args.name, config, "agent.name");
  if (settings.name.empty()) settings.name = machine;
  settings.role = either(args.role, config, "agent.role");
  settings.cluster = either(args.cluster, config, "agent.cluster");
  TRY(check_length("name", settings.name, link::kMaxNameBytes));
  TRY(check_length("role", settings.role, link::kMaxRoleBytes));
  TRY(check_length("cluster", settings.cluster, link::kMaxNameBytes));
  settings.folder = either(args.data_dir, config, "agent.data_dir");
  if (settings.folder.empty()) settings.folder = default_data_folder() + "/agent";
  settings.probe_listen =
      listen_address(config.get_string("agent.probe_listen"), settings.server_url);
  settings.echo_listen =
      listen_address(config.get_string("agent.echo_listen"), settings.server_url);
  settings.tls.ca_file = config.get_string("agent.tls.ca_file");
  settings.tls.certificate_file = config.get_string("agent.tls.certificate_file");
  settings.tls.key_file = config.get_string("agent.tls.key_file");
  settings.interval_ms = config.get_duration_ms("agent.interval");
  settings.queue_max_bytes = static_cast<uint64_t>(config.get_bytes("agent.queue_max_bytes"));
  settings.replay_samples_per_second = config.get_int("agent.replay_rate");
  settings.mesh_enabled = config.get_bool("agent.mesh.enabled");
  settings.mesh.interval_ms = config.get_duration_ms("agent.mesh.interval");
  settings.mesh.peers = static_cast<size_t>(config.get_int("agent.mesh.peers"));
  settings.mesh.rotate_ms = config.get_duration_ms("agent.mesh.rotate");
  return settings;
}

}  // namespace binnacle::app
