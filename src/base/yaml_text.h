// A tree of config_yaml.h as YAML text: block style, texts in double quotes where they need them.
// Pure.
#pragma once

#include <string>

#include "base/config_yaml.h"

namespace binnacle {

// Reads back as the same tree; aliases are written out.
std::string yaml_text(const YamlNode& root);

}  // namespace binnacle
