#include "watch/heartbeat/expected_nodes.h"

#include <set>
#include <utility>

#include "base/yaml_reader.h"

namespace binnacle::watch::heartbeat {
namespace {

ExpectedNode read_node(const YamlValue& value) {
  ExpectedNode node;
  YamlMap map(value);
  map.read("name", node.name);
  map.read("address", node.address);
  map.read("role", node.role);
  if (const auto layers = map.field("layers")) {
    const bool list = layers->node().kind == YamlNode::Kind::kSequence;
    node.layers = list ? layers->strings() : std::vector<std::string>{layers->text().value_or("")};
  }
  map.finish();
  if (node.name.empty()) value.problem("a node needs a name: the one its agent has");
  return node;
}

}  // namespace

Result<std::vector<ExpectedNode>> read_expected_nodes(const std::string& file_name,
                                                      std::string_view text) {
  YamlDocument document(file_name, text);
  const YamlValue root = document.root();
  std::vector<YamlValue> items;
  if (root.node().kind == YamlNode::Kind::kMap) {
    YamlMap map(root);
    if (const auto nodes = map.field("nodes")) items = nodes->items();
    map.finish();
  } else {
    items = root.items();
  }
  std::vector<ExpectedNode> nodes;
  std::set<std::string> names;
  for (const YamlValue& item : items) {
    nodes.push_back(read_node(item));
    const std::string& name = nodes.back().name;
    if (!name.empty() && !names.insert(name).second) {
      item.problem("the name stands twice", name, "each node has one entry");
    }
  }
  TRY(document.status());
  return nodes;
}

Result<std::vector<ExpectedNode>> join_expected_nodes(std::vector<ExpectedNode> one,
                                                      std::vector<ExpectedNode> other) {
  std::set<std::string> names;
  for (ExpectedNode& node : other) one.push_back(std::move(node));
  for (const ExpectedNode& node : one) {
    if (names.insert(node.name).second) continue;
    return fail(Code::kInvalidArgument, "expected nodes: " + node.name +
                                            " stands twice; keep it in cluster.nodes or in the "
                                            "file of cluster.nodes_file");
  }
  return one;
}

ExpectedNodes::ExpectedNodes(std::vector<ExpectedNode> nodes, int64_t join_grace_ms,
                             int64_t started_ms)
    : join_grace_ms_(join_grace_ms), started_ms_(started_ms) {
  for (ExpectedNode& node : nodes) {
    std::string name = node.name;
    nodes_.emplace(std::move(name), Entry{std::move(node)});
  }
}

void ExpectedNodes::seen(const std::string& name) {
  if (const auto it = nodes_.find(name); it != nodes_.end()) it->second.seen = true;
}

const ExpectedNode* ExpectedNodes::find(const std::string& name) const {
  const auto it = nodes_.find(name);
  return it == nodes_.end() ? nullptr : &it->second.node;
}

std::vector<const ExpectedNode*> ExpectedNodes::missing() const {
  std::vector<const ExpectedNode*> nodes;
  for (const auto& [name, entry] : nodes_) {
    if (!entry.seen) nodes.push_back(&entry.node);
  }
  return nodes;
}

}  // namespace binnacle::watch::heartbeat
