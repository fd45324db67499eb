// The nodes that an operator says there are. One that has never been heard is unknown, and overdue
// once the grace of joining is over: then its absence is a fault. Names are the agents' names. One
// thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::watch::heartbeat {

struct ExpectedNode {
  std::string name;
  std::string address;              // host or host:port; may be empty
  std::string role;                 // may be empty
  std::vector<std::string> layers;  // of the model, that the node is to serve: "0-15"
};

// A YAML or JSON file: a list of maps with name, address, role and layers, or a map with such a
// list as `nodes`. Every mistake is a line of the error.
Result<std::vector<ExpectedNode>> read_expected_nodes(const std::string& file_name,
                                                      std::string_view text);

// Both lists as one; kInvalidArgument: a name stands twice.
Result<std::vector<ExpectedNode>> join_expected_nodes(std::vector<ExpectedNode> one,
                                                      std::vector<ExpectedNode> other);

class ExpectedNodes {
 public:
  // Names differ. The grace counts from `started_ms`, wall.
  ExpectedNodes(std::vector<ExpectedNode> nodes, int64_t join_grace_ms, int64_t started_ms);

  void seen(const std::string& name);
  const ExpectedNode* find(const std::string& name) const;  // null: nobody expects it
  std::vector<const ExpectedNode*> missing() const;         // never seen, by name
  bool overdue(int64_t now_ms) const { return now_ms - started_ms_ >= join_grace_ms_; }
  int64_t since_ms() const { return started_ms_; }

 private:
  struct Entry {
    ExpectedNode node;
    bool seen = false;
  };
  std::map<std::string, Entry> nodes_;
  int64_t join_grace_ms_;
  int64_t started_ms_;
};

}  // namespace binnacle::watch::heartbeat
