// A value of a config as YAML on one line: what print(), diff() and the documentation show. Pure.
#pragma once

#include "base/config_value.h"

#include <string>
#include <string_view>

namespace binnacle {

// Plain where that reads back as the same text, else in double quotes.
std::string yaml_scalar(std::string_view text);

// Masked: secrets are ***, other values with ${...} stand as they were written.
ConfigValue shown_value(const ConfigEntry& entry, bool mask_secrets);

// "30s", "[page, api]", "{store: debug}". Unmasked, it reads back as the
// same value. Not for kObjects.
std::string value_text(const ConfigEntry& entry, bool mask_secrets);

}  // namespace binnacle
