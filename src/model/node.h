// Nodes of the watched cluster and what is thought of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle::model {

// Random, made once in a node's data folder; survives restarts and address changes.
struct NodeId {
  std::string value;  // 32 hex digits
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

enum class NodeState : uint8_t { kUnknown, kUp, kSuspect, kDown, kDraining, kLeft };
std::string_view node_state_name(NodeState state);  // "suspect"

struct Node {
  NodeId id;
  std::string name;
  std::string role;  // "server", "worker", "trainer", ... free text of the operator
  std::string cluster;
  std::string address;  // host:port as last seen
  NodeState state = NodeState::kUnknown;
  int64_t since_ms = 0;  // wall time of the last change of state
};

// How health and the page see nodes, without knowing who detects failures. Any thread.
class NodeView {
 public:
  virtual ~NodeView() = default;
  virtual std::vector<Node> nodes() const = 0;
  virtual std::optional<Node> node(const NodeId& id) const = 0;
};

}  // namespace binnacle::model
