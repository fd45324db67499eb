#include "app/load_config.h"

#include "app/config_keys.h"

namespace binnacle::app {

Result<Config> load_config(const std::string& file, const ConfigSources& sources) {
  auto config = Config::load(config_schema(), file, sources);
  if (config) return std::move(*config);
  std::string message;
  for (const std::string& line : config.error().lines())
    message += (message.empty() ? "" : "\n") + line;
  return fail(Code::kInvalidArgument, std::move(message));
}

}  // namespace binnacle::app
