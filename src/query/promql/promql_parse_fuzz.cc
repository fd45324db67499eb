// Any bytes as a query: refused with a place, or taken, and then what it prints must be taken too
// and print the same, on one line and broken into lines. The first byte says what the rest is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"

namespace {

using namespace binnacle::query::promql;  // NOLINT(google-build-using-namespace): one file

// The same query with shallow trees and without what is experimental is refused or the same.
void check_strict(std::string_view text, const std::string& printed) {
  const auto expr = parse(text, {.max_depth = 16});
  if (expr) CHECK(to_string(**expr) == printed);
}

void check_query(std::string_view text) {
  const ParseOptions options{.experimental = true};
  const auto expr = parse(text, options);
  if (!expr) {
    CHECK(expr.error().message.find(": parse error: ") != std::string::npos);
    return;
  }
  CHECK((*expr)->height <= options.max_depth);
  const std::string printed = to_string(**expr);
  check_strict(text, printed);
  if (printed.size() > options.max_bytes) return;
  const auto again = parse(printed, options);
  CHECK(again);
  CHECK(to_string(**again) == printed);
  const auto broken = parse(pretty(**expr), options);
  CHECK(broken);
  CHECK(to_string(**broken) == printed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 's':
      (void)parse_selector(text);
      break;
    case 'm':
      (void)parse_metric(text);
      break;
    case 'd':
      (void)parse_promql_duration_ms(text);
      break;
    default:
      check_query(text);
  }
  return 0;
}
