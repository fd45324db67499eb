// The checks of series that everybody needs, as PromQL over what the collectors write (docs/
// health-checks.md lists them). In an expression `$on` stands for the matchers of node, subject and
// `select`, `$node` for those of the node alone; both may be empty.
#pragma once

#include <span>
#include <string_view>

#include "watch/health/checks/thresholds.h"

namespace binnacle::watch::health {

struct PresetPart {
  std::string_view name;  // its key in the settings: "space"
  std::string_view expression;
  std::string_view unit;
  std::string_view warn;      // "" for none
  std::string_view critical;  // likewise
  bool of_subject = false;    // only where the subject is named
};

struct Preset {
  std::string_view kind;           // "disk"
  std::string_view subject;        // the setting that names one: "unit"; "" for none
  std::string_view subject_label;  // and the label that it is
  std::span<const PresetPart> parts;
};

std::span<const Preset> presets();

}  // namespace binnacle::watch::health
