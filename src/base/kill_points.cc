#include "base/kill_points.h"

#ifdef BINNACLE_TESTS
#include <csignal>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#endif

namespace binnacle {

#ifdef BINNACLE_TESTS
namespace {

struct Wanted {
  std::string point;
  long passes = 0;
};

Wanted wanted() {
  const char* text = std::getenv("BINNACLE_KILL_AT");
  const std::string_view all = text == nullptr ? "" : text;
  const size_t colon = all.find(':');
  if (colon == std::string_view::npos) return {};
  return {std::string(all.substr(0, colon)),
          std::strtol(std::string(all.substr(colon + 1)).c_str(), nullptr, 10)};
}

}  // namespace

void kill_point(const char* name) {
  static const Wanted kWanted = wanted();
  static std::atomic<long> passes = 0;
  if (kWanted.point != name) return;
  if (++passes == kWanted.passes) std::raise(SIGKILL);
}
#else
void kill_point(const char*) {}
#endif

}  // namespace binnacle
