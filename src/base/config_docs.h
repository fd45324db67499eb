// docs/configuration.md, written from the table that parses the file, so that the two cannot
// differ. Pure.
#pragma once

#include "base/config_schema.h"

#include <string>
#include <string_view>

namespace binnacle {

// `intro` (Markdown), then one table for each section with every key's type, default, reload mark,
// meaning.
std::string config_markdown(const ConfigSchema& schema, std::string_view intro);

}  // namespace binnacle
