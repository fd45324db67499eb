#include "model/alert.h"

namespace binnacle::model {

uint64_t alert_fingerprint(LabelsView labels) {
  constexpr uint64_t kOffset = 14695981039346656037U;
  constexpr uint64_t kPrime = 1099511628211U;
  constexpr uint8_t kEnd = 255;
  uint64_t hash = kOffset;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * kPrime;
    hash = (hash ^ kEnd) * kPrime;
  };
  for (const Label& label : labels) {
    add(label.name);
    add(label.value);
  }
  return hash;
}

}  // namespace binnacle::model
