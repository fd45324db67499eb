// Matchers of a hostile client: what is read is printed so that it reads as the same again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "watch/alerts/matcher_text.h"

using namespace binnacle::watch::alerts;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto matchers = parse_matchers({reinterpret_cast<const char*>(data), size});
  if (!matchers) {
    CHECK(!matchers.error().message.empty());
    return 0;
  }
  for (const auto& matcher : *matchers) CHECK(!matcher.name().empty());
  const std::string text = format_matchers(*matchers);
  const auto again = parse_matchers(text);
  CHECK(again);
  CHECK(format_matchers(*again) == text);
  return 0;
}
