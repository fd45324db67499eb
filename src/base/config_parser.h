// From a YAML tree to the values of a schema: unknown keys, missing sections, lists of objects,
// defaults. One for each parse; one thread. See config.h for what users of a config call.
#pragma once

#include "base/config_schema.h"
#include "base/config_value.h"
#include "base/config_yaml.h"

#include <memory>
#include <string>
#include <string_view>

namespace binnacle {

class ConfigParser {
 public:
  ConfigParser(const ConfigSchema& schema, const ConfigSources& sources, ConfigProblems& problems)
      : schema_(schema), substitution_(sources), problems_(problems) {}

  // Every key of the schema is in the scope afterwards; it is good for use when `problems` stayed
  // empty.
  std::shared_ptr<const ConfigScope> parse(const YamlNode& root);

 private:
  // A map in the file. Its place in the whole file is for messages, its place in the scope for
  // getters.
  struct Place {
    std::string path;      // "server.listen[0].tls"
    std::string relative;  // "tls"
  };
  static Place below(const Place& place, std::string_view name);

  void read_section(const ConfigSchema::Node& section, const YamlNode& yaml, int line,
                    const Place& place, ConfigScope& scope);
  void read_key(const ConfigSchema::Node& section, const YamlEntry& yaml, const Place& place,
                ConfigScope& scope);
  void read_objects(const ConfigSchema::Node& list, const YamlEntry& yaml, const Place& place,
                    ConfigScope& scope);
  void report_unknown(const ConfigSchema::Node& section, const YamlEntry& yaml, const Place& place);
  // What the file does not name.
  static void fill_defaults(const ConfigSchema::Node& section, const std::string& relative,
                            ConfigScope& scope);

  const ConfigSchema& schema_;
  Substitution substitution_;
  ConfigProblems& problems_;
};

}  // namespace binnacle
