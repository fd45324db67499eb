// ${env:NAME} and ${file:PATH} inside the values of binnacle.yaml, for secrets that must not stand
// in it.
// $${ is a literal ${. Other ${...} (as in relabelling's ${1}) stay as they are. What was
// substituted never reaches a message: problems name the variable or the file alone.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace binnacle {

inline constexpr size_t kMaxSubstitutions = 1000;          // in one config
inline constexpr size_t kMaxSubstitutedBytes = 64 * 1024;  // of one variable or file

// Where values from outside come from. References outlive the parse.
struct ConfigSources {
  std::function<std::optional<std::string>(const std::string& name)> env;
  FileSystem& files;
};

// The environment of this process and the real file system.
ConfigSources process_config_sources();

// One for each parse: it counts.
class Substitution {
 public:
  explicit Substitution(const ConfigSources& sources) : sources_(sources) {}

  struct Outcome {
    std::string text;
    bool substituted = false;  // a variable or file went in; text must be treated as a secret
  };
  // A file's last newline is dropped. The Error reads `what (value): what to do`.
  Result<Outcome> apply(std::string_view raw);

 private:
  Result<std::string> fetch(std::string_view source, std::string_view name);

  const ConfigSources& sources_;
  size_t used_ = 0;
};

// The text that apply() turns back into `text`: every ${ becomes $${.
std::string escape_substitution(std::string_view text);

}  // namespace binnacle
