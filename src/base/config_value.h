// One value of binnacle.yaml: from a YAML node by its key's type, bounds and choices, and back to
// text. Pure; used by the parser, by the schema to test its own defaults, and by the printers.
#pragma once

#include "base/config_problem.h"
#include "base/config_schema.h"
#include "base/config_substitution.h"
#include "base/config_yaml.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace binnacle {

using ConfigMap = std::map<std::string, std::string, std::less<>>;
// Durations and sizes are int64_t.
using ConfigValue =
    std::variant<bool, int64_t, double, std::string, std::vector<std::string>, ConfigMap>;

struct ConfigScope;

struct ConfigEntry {
  const ConfigKey* key = nullptr;
  int line = 0;  // 0: a default
  ConfigValue value;
  // Where a variable or a file went in: the value as written, with its ${...}. For messages and
  // masked prints.
  std::optional<ConfigValue> as_written;
  std::vector<std::shared_ptr<const ConfigScope>> objects;  // of kObjects

  bool is_default() const { return line == 0; }
};

// The whole file, or one object of a list: every key below it, by the path from here
// ("tls.key_file").
struct ConfigScope {
  std::map<std::string, ConfigEntry, std::less<>> entries;
};

// nullopt: not a value of this key, and `problems` says why. `path` names it in messages; `line` is
// where its key stands. Not for kObjects.
std::optional<ConfigEntry> read_value(const ConfigKey& key, std::string_view path,
                                      const YamlNode& node, int line, Substitution& substitution,
                                      ConfigProblems& problems);

// CHECKs that the default fits its own key. Not for kObjects.
ConfigEntry default_value(const ConfigKey& key);

// A scalar as a user would write it, unquoted: "true", "30s", "32KiB". Not for lists and maps
// (CHECK).
std::string scalar_text(const ConfigKey& key, const ConfigValue& value);

}  // namespace binnacle
