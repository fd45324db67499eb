#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <set>
#include <span>

#include "model/sample.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using Lines = std::vector<std::string>;

constexpr int64_t kStepMs = 15'000;
constexpr int64_t kSamples = 40;

struct Want {
  model::SelectHints hints;
  bool blind = false;  // to what a number is
};

// A line for each series: labels, then samples; sorted, as the order may be any.
class StoreHintsTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(run_.open()); }

  // Some of what columns are made of: decimals, constants, full doubles, a counter beside a smaller
  // one, NaN and stale markers.
  static double value_of(int series, int64_t i) {
    const auto n = static_cast<double>(i);
    switch (series) {
      case 0:
        return 100 + std::fmod(n * 7, 13);
      case 1:
        return 3;
      case 2:
        return std::sqrt(n + 2);
      case 3:
        return i == 20 ? std::nan("") : n;
      case 4:
        return i >= 35 ? model::stale_nan() : n / 4;
      default:
        return n * 3 + std::fmod(n * 5, 3) + series;
    }
  }
  void fill(int64_t first, int64_t end) {
    for (int64_t i = first; i < end; ++i) {
      for (int series = 0; series < 9; ++series) {
        const model::Labels labels{{"__name__", series < 5 ? "gauge" : "hits_bucket"},
                                   {"job", series % 2 == 0 ? "a" : "b"},
                                   {"le", std::to_string(series)}};
        ASSERT_TRUE(put(*run_.store, labels, run_.start_ms + i * kStepMs, value_of(series, i)));
      }
    }
  }

  static std::string text(model::LabelsView labels, const model::SelectHints& hints) {
    std::string out;
    for (const model::Label& label : labels) {
      if (hints.labels && std::ranges::find(*hints.labels, label.name) == hints.labels->end())
        continue;
      out += std::string(label.name) + "=" + std::string(label.value) + ",";
    }
    return out;
  }
  // Of those that count where newest_at is asked for.
  static std::vector<size_t> newest(std::span<const int64_t> times_ms,
                                    const model::TimeGrid& grid) {
    std::set<size_t> out;
    for (size_t step = 0; step < grid.count; ++step) {
      const int64_t t = grid.start_ms + static_cast<int64_t>(step) * grid.step_ms;
      const auto after = std::ranges::upper_bound(times_ms, t) - times_ms.begin();
      if (after > 0) out.insert(static_cast<size_t>(after) - 1);
    }
    return {out.begin(), out.end()};
  }
  static std::vector<size_t> looked_at(const model::SelectHints& hints,
                                       std::span<const int64_t> times_ms) {
    if (hints.newest_at) return newest(times_ms, *hints.newest_at);
    if (hints.newest_only) return {times_ms.size() - 1};
    std::vector<size_t> all(times_ms.size());
    std::iota(all.begin(), all.end(), size_t{0});
    return all;
  }
  // As `want` looks at it; `asked` is what the store is told.
  Lines select(const model::SelectHints& asked, const Want& want, int64_t from, int64_t to) {
    const auto querier = run_.store->querier(run_.start_ms + from, run_.start_ms + to);
    const auto set = (*querier)->select({}, asked);
    Lines out;
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      std::string line = text(columns.labels, want.hints);
      given_ += columns.values.size();
      if (looked_at(want.hints, columns.timestamps_ms).empty()) continue;
      for (const size_t i : looked_at(want.hints, columns.timestamps_ms)) {
        const double value = columns.values[i];
        const auto bits = std::bit_cast<uint64_t>(value);
        line += want.blind && !std::isnan(value) ? " number" : " " + std::to_string(bits);
        line += "@" + std::to_string(columns.timestamps_ms[i] - run_.start_ms);
      }
      out.push_back(std::move(line));
    }
    EXPECT_TRUE((*set)->status());
    std::ranges::sort(out);
    return out;
  }
  void same_answers() {
    Want labels{{.any_order = true, .labels = std::vector<std::string>{"job", "none"}}};
    Want newest{{.newest_only = true}};
    Want number{{.any_number = true}, true};
    Want all{{.any_order = true,
              .labels = std::vector<std::string>{"__name__"},
              .newest_only = true,
              .any_number = true},
             true};
    for (const Want& want : {labels, newest, number, all}) {
      for (const int64_t from : {int64_t{0}, 5 * kStepMs, 30 * kStepMs}) {
        for (const int64_t to : {from, 36 * kStepMs, kSamples * kStepMs}) {
          const Lines plain = select({}, want, from, to);
          EXPECT_EQ(plain.size(), 9u);
          EXPECT_EQ(select(want.hints, want, from, to), plain) << from << " to " << to;
        }
      }
    }
  }

  // Samples at the steps of a query, which lie closer, further and elsewhere than theirs.
  void same_answers_at_steps() {
    for (const int64_t step_ms : {kStepMs / 3, 3 * kStepMs, 4 * kStepMs + 1, 100 * kStepMs}) {
      for (const int64_t from : {int64_t{0}, int64_t{-7}, 5 * kStepMs + 1}) {
        for (const int64_t to : {36 * kStepMs, kSamples * kStepMs}) {
          const auto count = static_cast<size_t>((to - from) / step_ms) + 1;
          const Want want{{.newest_at = model::TimeGrid{run_.start_ms + from, step_ms, count}}};
          const Lines plain = select({}, want, from - 4 * kStepMs, to);
          EXPECT_EQ(select(want.hints, want, from - 4 * kStepMs, to), plain)
              << from << " to " << to << " by " << step_ms;
        }
      }
    }
  }

  StoreTestRun run_;
  size_t given_ = 0;  // samples that the store handed out
};

TEST_F(StoreHintsTest, ChangeNoAnswerOfTheHead) {
  fill(0, kSamples);
  same_answers();
  same_answers_at_steps();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfTheHeadWithLateSamples) {
  fill(0, kSamples - 2);
  const model::Labels labels{{"__name__", "gauge"}, {"job", "a"}, {"le", "0"}};
  ASSERT_TRUE(put(*run_.store, labels, run_.start_ms + kSamples * kStepMs, 5));
  ASSERT_TRUE(put(*run_.store, labels, run_.start_ms + (kSamples - 1) * kStepMs, 4));
  same_answers();
  same_answers_at_steps();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfBlocks) {
  fill(0, kSamples);
  ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
  same_answers();
  same_answers_at_steps();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfBlocksBelowTheHead) {
  fill(0, 30);
  ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
  fill(30, kSamples);
  same_answers();
  same_answers_at_steps();
}

TEST_F(StoreHintsTest, LeaveOutWhatStepsOfAQueryDoNotLookAt) {
  fill(0, kSamples);
  ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
  const Want want{{.newest_at = model::TimeGrid{run_.start_ms, 4 * kStepMs, kSamples / 4}}};
  select(want.hints, want, 0, kSamples * kStepMs);
  EXPECT_EQ(given_, 9u * kSamples / 4);
}

}  // namespace
}  // namespace binnacle::store::metrics
