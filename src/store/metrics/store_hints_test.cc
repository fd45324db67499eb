#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

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
  // As `want` looks at it; `asked` is what the store is told.
  Lines select(const model::SelectHints& asked, const Want& want, int64_t from, int64_t to) {
    const auto querier = run_.store->querier(run_.start_ms + from, run_.start_ms + to);
    const auto set = (*querier)->select({}, asked);
    Lines out;
    model::SeriesColumns columns;
    while ((*set)->next(columns)) {
      std::string line = text(columns.labels, want.hints);
      const size_t count = columns.values.size();
      for (size_t i = want.hints.newest_only ? count - 1 : 0; i < count; ++i) {
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

  StoreTestRun run_;
};

TEST_F(StoreHintsTest, ChangeNoAnswerOfTheHead) {
  fill(0, kSamples);
  same_answers();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfTheHeadWithLateSamples) {
  fill(0, kSamples - 2);
  const model::Labels labels{{"__name__", "gauge"}, {"job", "a"}, {"le", "0"}};
  ASSERT_TRUE(put(*run_.store, labels, run_.start_ms + kSamples * kStepMs, 5));
  ASSERT_TRUE(put(*run_.store, labels, run_.start_ms + (kSamples - 1) * kStepMs, 4));
  same_answers();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfBlocks) {
  fill(0, kSamples);
  ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
  same_answers();
}

TEST_F(StoreHintsTest, ChangeNoAnswerOfBlocksBelowTheHead) {
  fill(0, 30);
  ASSERT_TRUE(run_.store->flush(INT64_MAX / 4));
  fill(30, kSamples);
  same_answers();
}

}  // namespace
}  // namespace binnacle::store::metrics
