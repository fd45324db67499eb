// Every function over ranges against a twin that takes each window for itself, on columns with
// gaps, resets, repeated values, NaN, Inf and values of all magnitudes.
#include "query/promql/range_twin.h"

#include "base/random.h"

namespace binnacle::query::promql {
namespace {

using twin::kInf;
using twin::kNaN;

bool same(double got, double want) {
  if (is_absent(got) || is_absent(want)) return is_absent(got) && is_absent(want);
  if (std::isnan(want)) return std::isnan(got);
  if (got == want) return true;
  return std::abs(got - want) <= 1e-9 * (std::abs(got) + std::abs(want));
}

class Columns {
 public:
  explicit Columns(uint64_t seed) : random_(seed) {}

  std::vector<int64_t> times(size_t count, bool regular) {
    std::vector<int64_t> out;
    int64_t t = 100'000;
    for (size_t i = 0; i < count; ++i) {
      t += regular ? 15'000 : 1 + static_cast<int64_t>(random_.below(30'000));
      if (random_.below(40) == 0) t += static_cast<int64_t>(random_.below(100)) * 15'000;
      out.push_back(t);
    }
    return out;
  }

  // Kinds: a counter with resets, a gauge, few values, whole numbers and specials, all magnitudes,
  // a column whose large values cancel, one that goes from large to small.
  static constexpr int kKinds = 7;
  std::vector<double> values(size_t count, int kind) {
    std::vector<double> out;
    double counter = 0;
    for (size_t i = 0; i < count; ++i) {
      counter = random_.below(20) == 0 ? 0 : counter + static_cast<double>(random_.below(50)) / 8;
      out.push_back(value(kind, counter, i < count / 3));
    }
    return out;
  }

  uint64_t below(uint64_t bound) { return random_.below(bound); }

 private:
  double value(int kind, double counter, bool early) {
    constexpr double kSpecial[] = {kNaN, kInf, -kInf, 0.0, -0.0, 1e308, -1e308, 5e-324};
    switch (kind) {
      case 0:
        return counter;
      case 1:
        return random_.unit() * 100 - 20;
      case 2:
        return static_cast<double>(random_.below(3));
      case 3:
        return random_.below(8) == 0 ? kSpecial[random_.below(std::size(kSpecial))]
                                     : static_cast<double>(random_.below(10));
      case 4:
        return (random_.unit() - 0.3) * std::pow(10, random_.unit() * 600 - 300);
      case 5:
        return random_.below(5) == 0 ? (random_.below(2) == 0 ? 1e100 : -1e100) : 1;
      default:
        return early ? 1e12 + random_.unit() : 1e-3 * random_.unit();
    }
  }

  SeededRandom random_;
};

TEST(RangeTwin, EveryFunctionGivesWhatEachWindowForItselfGives) {
  Columns columns(20261);
  for (int round = 0; round < 240; ++round) {
    RangeCase c;
    const size_t count = round % 12 == 0 ? columns.below(3) : 20 + columns.below(300);
    const bool aligned = columns.below(2) == 0;  // steps fall on samples, as far as there are gaps
    const int64_t unit = aligned ? 15'000 : 1'000;
    c.times_ms = columns.times(count, aligned || columns.below(2) == 0);
    c.values = columns.values(count, round % Columns::kKinds);
    const int64_t from = 100'000 + unit * static_cast<int64_t>(columns.below(300));
    const int64_t step = unit * (1 + static_cast<int64_t>(columns.below(aligned ? 6 : 90)));
    c.steps = {from, from + step * static_cast<int64_t>(columns.below(round % 4 == 0 ? 300 : 60)),
               step};
    c.range_ms = columns.below(3) == 0 ? 15'000 * (1 + static_cast<int64_t>(columns.below(200)))
                                       : 1 + static_cast<int64_t>(columns.below(400'000));
    c.offset_ms = aligned ? 0 : static_cast<int64_t>(columns.below(3)) * 7'500 - 7'500;
    c.lookback_ms = 1 + static_cast<int64_t>(columns.below(90'000));
    for (const auto& [name, other] : twin::twins()) {
      c.function = name;
      c.scalars = other.scalars;
      c.anchored = other.anchored;
      c.smoothed = other.smoothed;
      const RangeAnswer answer = run(c);
      ASSERT_TRUE(answer.values) << answer.values.error().message;
      for (size_t i = 0; i < c.steps.count(); ++i) {
        const double want = other.twin(twin::window_of(c, i));
        ASSERT_TRUE(same((*answer.values)[i], want))
            << name << (c.anchored ? " anchored" : "") << (c.smoothed ? " smoothed" : "")
            << " round " << round << " step " << i << ": " << (*answer.values)[i] << ", not "
            << want;
      }
    }
  }
}

}  // namespace
}  // namespace binnacle::query::promql
