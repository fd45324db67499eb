#include "watch/health/check_spec.h"

#include <algorithm>
#include <array>

namespace binnacle::watch::health {
namespace {

constexpr size_t kMaxNameBytes = 200;
constexpr std::array<std::string_view, 3> kCriticalities = {"critical", "contributing",
                                                            "informative"};
constexpr std::array<std::string_view, 4> kOrigins = {"file", "api", "pushed", "built_in"};

}  // namespace

std::string_view criticality_name(Criticality criticality) {
  return kCriticalities.at(static_cast<size_t>(criticality));
}

std::optional<Criticality> criticality_of_name(std::string_view name) {
  for (size_t i = 0; i < kCriticalities.size(); ++i) {
    if (kCriticalities.at(i) == name) return static_cast<Criticality>(i);
  }
  return std::nullopt;
}

std::string_view check_origin_name(CheckOrigin origin) {
  return kOrigins.at(static_cast<size_t>(origin));
}

bool is_check_name(std::string_view name) {
  constexpr std::string_view kOthers = "_.:/-";
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.find(c) != std::string_view::npos;
         });
}

}  // namespace binnacle::watch::health
