// What one run of `binnacle agent` does: its command line over its configuration. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/config.h"
#include "base/error.h"
#include "collect/mesh/mesh_planner.h"
#include "net/tls.h"

namespace binnacle::app {

// Words beside addresses that agent.echo_listen, agent.probe_listen and link.echo_listen know.
inline constexpr std::string_view kListenAuto = "auto";  // of the agent's alone
inline constexpr std::string_view kListenOff = "off";

struct AgentArgs {
  std::string config_file;  // empty: defaults alone
  // Empty: as configured.
  std::string server;
  std::string token;
  std::string name;
  std::string role;
  std::string cluster;
  std::string data_dir;
};

struct AgentSettings {
  std::string server_url;
  std::string token;
  std::string key;
  std::string name;
  std::string role = "node";
  std::string cluster = "default";
  std::string folder;
  std::string probe_listen;  // "": nobody can connect
  std::string echo_listen;   // "": no echoes
  net::TlsClientOptions tls;
  int64_t interval_ms = 10'000;
  uint64_t queue_max_bytes = uint64_t{512} << 20;
  int64_t replay_samples_per_second = 50'000;
  bool mesh_enabled = true;
  collect::mesh::MeshOptions mesh;
};

// kInvalidArgument names the setting and the way out. `machine` is the name where none is given.
Result<AgentSettings> agent_settings(const AgentArgs& args, const Config& config,
                                     const std::string& machine);

}  // namespace binnacle::app
