// Any text as a query over a small store, at any steps and with small limits: it ends with an
// answer or with an error, and what the query prints as gives the same. The first line says when:
// "START END STEP" in milliseconds of a range query, "TIME" of an instant one.
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/check.h"
#include "query/promql/engine.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"
#include "store/metrics/linear_store.h"

namespace {

using namespace binnacle;                 // NOLINT(google-build-using-namespace): one file
using namespace binnacle::query::promql;  // NOLINT(google-build-using-namespace)

// An hour of gauges, counters, a histogram and an info metric, at the beginning of time and around
// the start of 2024.
class Store {
 public:
  Store() {
    for (const int64_t from_ms : {int64_t{0}, int64_t{1'704'067'200'000}}) {
      for (const char* a : {"x", "y"}) {
        put({{"__name__", "m"}, {"a", a}, {"b", "1"}}, from_ms, 30'000, -3);
        put({{"__name__", "m"}, {"a", a}, {"b", "2"}}, from_ms, 47'000, 0.1);
        put({{"__name__", "c"}, {"a", a}}, from_ms, 15'000, 1);
        put({{"__name__", "target_info"}, {"instance", "i"}, {"job", "j"}, {"v", a}}, from_ms,
            60'000, 0);
        for (const char* le : {"0.1", "1", "+Inf"})
          put({{"__name__", "h_bucket"}, {"a", a}, {"le", le}}, from_ms, 30'000, 2);
      }
      put({{"__name__", "c"}, {"instance", "i"}, {"job", "j"}}, from_ms, 60'000, 3);
    }
  }
  model::Queryable& queryable() { return store_; }

 private:
  void put(std::initializer_list<std::pair<std::string_view, std::string_view>> pairs,
           int64_t from_ms, int64_t every_ms, double rise) {
    model::LabelsBuilder labels;
    for (const auto& [name, value] : pairs) labels.set(name, value);
    const auto appender = store_.appender();
    for (int64_t t = 0; t <= 3'600'000; t += every_ms) {
      const int64_t i = t / every_ms;
      double value = static_cast<double>(i % 17) * rise;
      if (i % 29 == 7) value = std::numeric_limits<double>::quiet_NaN();
      if (i % 31 == 9) value = std::numeric_limits<double>::infinity();
      CHECK(appender->append(model::kNoSeries, labels.build(), {from_ms + t, value}));
    }
    CHECK(appender->commit());
  }

  const SimulatedClock clock_{0};
  store::metrics::LinearStore store_{
      clock_, {.late_limit_ms = int64_t{1} << 60, .max_ahead_ms = int64_t{1} << 60}};
};

QueryLimits small_limits() {
  QueryLimits limits;
  limits.max_points = 2000;
  limits.max_series = 500;
  limits.max_samples = 500'000;
  limits.max_bytes = size_t{8} << 20;
  limits.timeout_ms = 1000;
  limits.experimental = true;
  return limits;
}

// Leaves what it does not understand at 0.
Steps steps_of(std::string_view line, bool& instant) {
  std::array<int64_t, 3> numbers{};
  size_t found = 0;
  while (found < numbers.size() && !line.empty()) {
    const size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    std::from_chars(word.data(), word.data() + word.size(), numbers[found]);
    ++found;
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  instant = found < 3;
  if (instant) return {numbers[0], numbers[0], 0};
  return {numbers[0], numbers[1], numbers[2]};
}

bool same(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (a != a && b != b);
}

void check_same(const QueryAnswer& a, const QueryAnswer& b) {
  CHECK(a.type == b.type && a.text == b.text && same(a.scalar, b.scalar));
  CHECK(a.rows.size() == b.rows.size() && a.samples.size() == b.samples.size());
  for (size_t i = 0; i < a.rows.size(); ++i) {
    CHECK(a.rows[i].labels.packed() == b.rows[i].labels.packed());
    CHECK(a.rows[i].values.size() == a.steps.count());
    for (size_t k = 0; k < a.rows[i].values.size(); ++k)
      CHECK(same(a.rows[i].values[k], b.rows[i].values[k]));
  }
}

// A limit may be met by one run alone, as the time passes.
bool ends_by_limit(const Error& error) {
  return error.code == Code::kDeadlineExceeded || error.code == Code::kResourceExhausted;
}

void check_error(const Error& error) {
  CHECK(!error.message.empty());
  switch (error.code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
    case Code::kUnimplemented:
      return;
    case Code::kResourceExhausted:
      CHECK(error.message.find("query.max_") != std::string::npos);
      return;
    case Code::kDeadlineExceeded:
      CHECK(error.message.find("query.timeout") != std::string::npos);
      return;
    default:
      CHECK(false);
  }
}

void check_query(std::string_view text, const Steps& steps, bool instant) {
  static Store store;
  static const SystemClock clock;
  const auto expr = parse(text, {.experimental = true});
  if (!expr) return;
  const QueryLimits limits = small_limits();
  const auto answer =
      evaluate(store.queryable(), **expr, {std::string(text), steps, instant}, limits, clock);
  if (!answer) check_error(answer.error());
  if (answer) CHECK(answer->stats.peak_bytes <= limits.max_bytes);
  const std::string printed = to_string(**expr);
  const auto again = evaluate(store.queryable(), {printed, steps, instant}, limits, clock);
  if (!again && ends_by_limit(again.error())) return;
  if (!answer && ends_by_limit(answer.error())) return;
  if (printed.size() > size_t{1} << 20) return;
  CHECK(answer.has_value() == again.has_value());
  if (answer) check_same(*answer, *again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  bool instant = false;
  const Steps steps = steps_of(input.substr(0, line), instant);
  check_query(input.substr(line + 1), steps, instant);
  return 0;
}
