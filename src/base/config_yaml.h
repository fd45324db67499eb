// Reads one YAML document of untrusted bytes into a small tree with line numbers: the only place
// that knows yaml-cpp and catches its exceptions. Bounded: 1 MiB of text, depth 32, 100,000 nodes
// with aliases counted at their full size, so that a billion laughs end early. Pure.
#pragma once

#include "base/config_problem.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;
inline constexpr int kMaxConfigDepth = 32;
inline constexpr size_t kMaxConfigNodes = 100'000;

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;  // shared: an alias is its anchor's node

struct YamlEntry {
  std::string key;
  int line = 0;  // of the key
  YamlNodePtr value;
};

struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  int line = 0;         // from 1
  bool quoted = false;  // of a scalar: '5' is text, 5 a number
  std::string text;     // of a scalar
  std::vector<YamlNodePtr> items;
  std::vector<YamlEntry> entries;  // in order of the file; keys differ
  size_t nodes = 1;                // with all below, aliases expanded
  int depth = 1;                   // levels from here down
};

// "a map", "a list", "text", "nothing": for messages.
std::string_view kind_name(YamlNode::Kind kind);

// Never null: an empty document is a kNull node. Duplicate keys are reported (the first one stays)
// and the rest is read on; after a syntax error or a broken bound nothing is.
YamlNodePtr read_yaml(std::string_view text, ConfigProblems& problems);

}  // namespace binnacle
