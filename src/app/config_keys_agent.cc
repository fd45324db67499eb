#include "app/agent_settings.h"
#include "app/config_keys.h"
#include "base/config_units.h"

namespace binnacle::app {
namespace {

ConfigKey text(std::string path, std::string meaning, bool secret = false) {
  return {.path = std::move(path), .meaning = std::move(meaning), .secret = secret};
}

void add_identity_keys(std::vector<ConfigKey>& keys, const AgentSettings& agent) {
  keys.push_back(text("agent.server", "Address of the server, `https://host:port` (`--server`)."));
  keys.push_back(text(
      "agent.token", "One-use join token, traded for a key at the first start (`--token`).", true));
  keys.push_back(text("agent.key", "Key of role `agent`, instead of a token.", true));
  keys.push_back(
      text("agent.name", "Name of this node, one of its kind; not set: the host's name."));
  keys.push_back({.path = "agent.role",
                  .default_text = agent.role,
                  .meaning = "What the node does, as `worker` or `trainer`: label `role`."});
  keys.push_back({.path = "agent.cluster",
                  .default_text = agent.cluster,
                  .meaning = "Label `cluster` of everything this node sends."});
  keys.push_back(text("agent.data_dir",
                      "Folder of the node's id, its key and the queue. Not set: `agent` in the "
                      "folder that a server would have."));
  keys.push_back(text("agent.tls.ca_file",
                      "PEM file of the authorities that the server's certificate is checked "
                      "against; not set: the system's."));
  keys.push_back(text("agent.tls.certificate_file", "PEM file of this node's certificate (mTLS)."));
  keys.push_back(text("agent.tls.key_file", "PEM file of its private key."));
}

void add_work_keys(std::vector<ConfigKey>& keys, const AgentSettings& agent) {
  keys.push_back(
      duration_key("agent.interval", agent.interval_ms, "1s", "2m",
                   "Between two collections; 1 s while a page looks at the node. What is "
                   "collected of the host stands under `collect.host`."));
  keys.push_back({.path = "agent.queue_max_bytes",
                  .type = ConfigType::kBytes,
                  .default_text = format_bytes(static_cast<int64_t>(agent.queue_max_bytes)),
                  .meaning = "Of samples on disk while the server is away; the oldest go first.",
                  .min = "1MiB",
                  .max = "1000GB"});
  keys.push_back(count_key(
      "agent.replay_rate", agent.replay_samples_per_second, "samples a second", "100", "100000000",
      "That a backlog is sent with at most, so that a server that came back is "
      "not flooded."));
  keys.push_back({.path = "agent.probe_listen",
                  .default_text = std::string(kListenAuto),
                  .meaning =
                      "`:port` or `host:port` (TCP) where the server and peers may connect, to "
                      "measure this node and to see within moments that it is gone: a port "
                      "that refuses tells more than one that is silent. Nothing is read "
                      "there. `auto`: any free port, of loopback alone when the server is "
                      "reached by it. `off`: none."});
  keys.push_back({.path = "agent.echo_listen",
                  .default_text = std::string(kListenAuto),
                  .meaning = "`:port` or `host:port` (UDP) where this node answers echoes of the "
                             "server and of peers, signed with a key that the server gives, so "
                             "that a stalled connection is not taken for a dead node. `auto`: any "
                             "free port, of loopback alone when the server is reached by it. "
                             "`off`: none."});
}

void add_mesh_keys(std::vector<ConfigKey>& keys, const AgentSettings& agent) {
  keys.push_back({.path = "agent.mesh.enabled",
                  .type = ConfigType::kBool,
                  .default_text = agent.mesh_enabled ? "true" : "false",
                  .meaning = "Measure round trip, loss and jitter to the server and to peers."});
  keys.push_back(duration_key("agent.mesh.interval", agent.mesh.interval_ms, "1s", "10m",
                              "A round: four connections to each peer, then a sample for it."));
  keys.push_back(count_key("agent.mesh.peers", static_cast<int64_t>(agent.mesh.peers), "peers", "0",
                           "100", "That are measured in a round beside the server."));
  keys.push_back(duration_key("agent.mesh.rotate", agent.mesh.rotate_ms, "1m", "1w",
                              "How long the choice of peers stays; then others have their turn."));
}

}  // namespace

std::vector<ConfigKey> agent_keys() {
  const AgentSettings agent;
  std::vector<ConfigKey> keys;
  add_identity_keys(keys, agent);
  add_work_keys(keys, agent);
  add_mesh_keys(keys, agent);
  return keys;
}

}  // namespace binnacle::app
