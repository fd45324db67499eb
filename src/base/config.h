// The settings of one run: binnacle.yaml read by a ConfigSchema, whole or not at all, with every
// default filled in. Immutable and cheap to copy (views share one set); any thread. Asking for a
// path that the schema lacks, or for it as another type, is a programmer error: CHECK.
#pragma once

#include "base/config_schema.h"
#include "base/config_substitution.h"
#include "base/config_value.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace binnacle {

// One value of a Config and where it stands: "server.listen[0].address".
struct ConfigItem {
  std::string path;
  const ConfigEntry* entry;  // lives as long as the Config
};

// Texts are as in print(): secrets masked. nullopt: not there, as the keys of a list entry that
// came or went.
struct ConfigChange {
  std::string path;
  std::optional<std::string> old_text;
  std::optional<std::string> new_text;
  bool needs_restart = false;
};

class Config {
 public:
  // Everything that is wrong comes back at once; an empty text is all defaults.
  static tl::expected<Config, ConfigProblems> parse(const ConfigSchema& schema,
                                                    std::string_view yaml, std::string file_name,
                                                    const ConfigSources& sources);
  // Reads the file first. An empty path is all defaults: a server runs without a file.
  static tl::expected<Config, ConfigProblems> load(const ConfigSchema& schema,
                                                   const std::string& path,
                                                   const ConfigSources& sources);

  bool get_bool(std::string_view path) const;
  int64_t get_int(std::string_view path) const;
  double get_float(std::string_view path) const;
  const std::string& get_string(std::string_view path) const;  // of kEnum too
  int64_t get_duration_ms(std::string_view path) const;
  int64_t get_bytes(std::string_view path) const;
  const std::vector<std::string>& get_strings(std::string_view path) const;
  const ConfigMap& get_map(std::string_view path) const;

  // A list of objects: at("server.listen", 0).get_string("address").
  size_t list_size(std::string_view path) const;
  Config at(std::string_view path, size_t index) const;

  bool is_default(std::string_view path) const;
  int line_of(std::string_view path) const;  // 0: a default

  // Effective values as YAML in the schema's order; each default is marked so in a comment. Masked,
  // it shows secrets as ***, and values with ${...} as they were written. Unmasked, it parses to an
  // equal Config.
  std::string print(bool mask_secrets) const;
  // The same as JSON: [{"path": "log.level", "value": "info", "default": true}, ...].
  std::string print_json(bool mask_secrets) const;

  // Every value, those of list entries included, in the schema's order.
  std::vector<ConfigItem> items() const;

  // By the paths of items(). Both of one schema.
  static std::vector<ConfigChange> diff(const Config& before, const Config& after);

 private:
  Config(ConfigSchema schema, const ConfigSchema::Node* node,
         std::shared_ptr<const ConfigScope> scope);
  const ConfigEntry& entry(std::string_view path) const;
  template <typename T>
  const T& get(std::string_view path, ConfigType type) const;

  // Fixed after construction.
  ConfigSchema schema_;
  const ConfigSchema::Node* node_;  // of schema_: the root, or the list that this is an object of
  std::shared_ptr<const ConfigScope> scope_;
};

}  // namespace binnacle
