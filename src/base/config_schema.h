// The table of all keys of binnacle.yaml: what parses the file, prints it and writes
// docs/configuration.md. Rooms contribute keys, src/app puts them together. Immutable and cheap to
// copy; any thread. Every mistake in the table (a path twice, a default that its own key refuses)
// is a programmer error: CHECK.
#pragma once

#include "base/config_problem.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

class Config;

// The path of `name` in a section: "server" and "listen" give "server.listen", "" and "log" give
// "log".
std::string config_path(std::string_view section, std::string_view name);

enum class ConfigType : uint8_t {
  kBool,
  kInt,
  kFloat,
  kString,
  kDuration,  // int64 milliseconds
  kBytes,     // int64 bytes
  kEnum,      // one of `choices`
  kStrings,   // a list of strings
  kMap,       // names to strings
  kObjects,   // a list of objects: "server.listen"; their keys are "server.listen[].address"
};
std::string_view config_type_name(ConfigType type);  // "duration"

enum class Reload : uint8_t { kLive, kRestart };

struct ConfigKey {
  std::string path = {};  // "log.level", "server.listen[].tls.key_file"
  ConfigType type = ConfigType::kString;
  // As a user would write it: "30s", "[page, api]", "{}". Of kObjects "[]", or "[{}]" for one entry
  // of defaults alone.
  std::string default_text = {};
  std::string unit = {};     // of a number: "threads"; durations and sizes carry their own
  std::string meaning = {};  // one line for the documentation
  Reload reload = Reload::kRestart;
  bool secret = false;   // never printed, logged or quoted in a message
  std::string min = {};  // inclusive, as a user would write them; empty: no bound
  std::string max = {};
  std::vector<std::string> choices =
      {};  // of a kEnum, of each string of a kStrings, each value of a kMap
  // Asked for each string of the value: "" or what to do instead. Not asked for an empty default.
  std::function<std::string(std::string_view text)> check = {};
};

// A rule across keys, asked when every single value is fine. It adds what it finds.
using ConfigRule = std::function<void(const Config& config, ConfigProblems& problems)>;

class ConfigSchema {
 public:
  explicit ConfigSchema(std::vector<ConfigKey> keys, std::vector<ConfigRule> rules = {});

  // A section, a key, or a list of objects whose children are the keys of one object.
  struct Node {
    std::string name;                // "key_file"; "" for the root
    const ConfigKey* key = nullptr;  // null for a section
    std::vector<Node> children;      // in the table's order

    bool is_section() const { return key == nullptr; }
    bool is_list() const { return key != nullptr && key->type == ConfigType::kObjects; }
  };
  const Node& root() const;
  const std::vector<ConfigKey>& keys() const;
  const std::vector<ConfigRule>& rules() const;

  // What the writer of the unknown `name` under `section` (whose path is `section_path`, "" at the
  // root) may have meant: a path of the table, or "".
  std::string nearest(const Node& section, std::string_view section_path,
                      std::string_view name) const;

 private:
  struct Table;
  std::shared_ptr<const Table> table_;  // shared by copies and by every Config made from it
};

}  // namespace binnacle
