#include "store/metrics/head_index.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/random.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::Matchers;
using model::MatchOp;

Matcher matcher(MatchOp op, std::string name, std::string value) {
  return *Matcher::create(op, std::move(name), std::move(value));
}

// The index beside a plain map, which answers by looking at every series.
class IndexAndMap {
 public:
  void add(uint32_t series, const Labels& labels) {
    index.add(series, labels, pairs_[series]);
    map[series] = labels;
  }
  void remove(uint32_t series) {
    index.remove(series, pairs_[series]);
    pairs_.erase(series);
    map.erase(series);
  }

  std::vector<uint32_t> select(const Matchers& matchers) const {
    std::vector<uint32_t> out;
    for (const auto& [series, labels] : map)
      if (model::matches_all(matchers, labels)) out.push_back(series);
    return out;
  }
  std::vector<std::string> names(const Matchers& matchers) const {
    std::set<std::string> out;
    for (const uint32_t series : select(matchers))
      for (const model::Label& label : map.at(series)) out.emplace(label.name);
    return {out.begin(), out.end()};
  }
  std::vector<std::string> values(std::string_view name, const Matchers& matchers) const {
    std::set<std::string> out;
    for (const uint32_t series : select(matchers))
      for (const model::Label& label : map.at(series))
        if (label.name == name) out.emplace(label.value);
    return {out.begin(), out.end()};
  }

  void expect_same(const Matchers& matchers) const {
    std::string text;
    for (const Matcher& one : matchers) text += one.to_string() + " ";
    EXPECT_EQ(*index.select(matchers), select(matchers)) << text;
    EXPECT_EQ(*index.label_names(matchers), names(matchers)) << text;
    for (const char* name : {"__name__", "job", "node", "absent"})
      EXPECT_EQ(*index.label_values(name, matchers), values(name, matchers)) << text;
  }
  // The pairs of each series are its labels, in their order.
  void expect_pairs() const {
    for (const auto& [series, labels] : map) {
      std::string packed;
      for (const PairId id : pairs_.at(series)) packed += index.pair(id);
      EXPECT_EQ(packed, labels.packed());
    }
  }

  HeadIndex index;
  std::map<uint32_t, Labels> map;

 private:
  std::map<uint32_t, std::vector<PairId>> pairs_;
};

Labels random_labels(Random& random) {
  model::LabelsBuilder builder;
  builder.set("__name__", fmt::format("metric_{}", random.below(8)));
  if (random.below(4) != 0) builder.set("job", fmt::format("job-{}", random.below(3)));
  if (random.below(3) != 0) builder.set("node", fmt::format("node-{}", random.below(40)));
  if (random.below(10) == 0) builder.set("odd\xc3\xa9", "v\"\n");
  return builder.build();
}

Matchers random_matchers(Random& random) {
  static const std::vector<std::pair<std::string, std::string>> kEqual = {
      {"__name__", "metric_1"}, {"job", "job-0"}, {"node", "node-7"}, {"job", "none"},
      {"absent", "x"},          {"absent", ""},   {"job", ""},        {"odd\xc3\xa9", "v\"\n"}};
  static const std::vector<std::pair<std::string, std::string>> kRegex = {
      {"__name__", "metric_[1-4]"}, {"job", "job-.*"}, {"job", ".*"},    {"job", ".+"},
      {"node", "node-1|node-2|"},   {"node", "[0-9]"}, {"absent", ".*"}, {"absent", ".+"}};
  Matchers out;
  for (uint64_t i = 0, count = random.below(4); i < count; ++i) {
    const bool regex = random.below(2) == 0;
    const bool negated = random.below(2) == 0;
    const auto& [name, value] =
        regex ? kRegex[random.below(kRegex.size())] : kEqual[random.below(kEqual.size())];
    const MatchOp op = regex ? (negated ? MatchOp::kNotRegex : MatchOp::kRegex)
                             : (negated ? MatchOp::kNotEqual : MatchOp::kEqual);
    out.push_back(matcher(op, name, value));
  }
  return out;
}

TEST(HeadIndex, AnswersAsALookAtEverySeriesDoes) {
  SeededRandom random(1);
  IndexAndMap both;
  for (int step = 0; step < 2000; ++step) {
    const auto series = static_cast<uint32_t>(random.below(400));
    if (!both.map.contains(series)) {
      both.add(series, random_labels(random));
    } else if (random.below(3) == 0) {
      both.remove(series);
    }
    if (step % 5 == 0) both.expect_same(random_matchers(random));
    if (testing::Test::HasFailure()) return;
  }
  both.expect_pairs();
  EXPECT_EQ(both.index.series_count(), both.map.size());
}

TEST(HeadIndex, NothingIsLeftOfWhatWasRemoved) {
  SeededRandom random(2);
  IndexAndMap both;
  for (uint32_t i = 0; i < 300; ++i) both.add(i, random_labels(random));
  for (uint32_t i = 0; i < 300; ++i) both.remove(299 - i);
  EXPECT_EQ(both.index.series_count(), 0u);
  EXPECT_EQ(both.index.statistics(10).pairs, 0u);
  EXPECT_TRUE(both.index.label_names({})->empty());
  both.expect_same({});
}

// Takes seconds where each removal walks over all values.
TEST(HeadIndex, ManyValuesOfOneLabelGoQuickly) {
  constexpr uint32_t kSeries = 200'000;
  HeadIndex index;
  std::vector<std::vector<PairId>> pairs(kSeries);
  for (uint32_t i = 0; i < kSeries; ++i)
    index.add(i, Labels{{"__name__", "x"}, {"uid", std::to_string(i)}}, pairs[i]);
  const SystemClock clock;
  const int64_t begun_ms = clock.monotonic_ms();
  for (uint32_t i = kSeries; i-- > 0;) index.remove((i * 7) % kSeries, pairs[(i * 7) % kSeries]);
  EXPECT_LT(clock.monotonic_ms() - begun_ms, 5'000);
  EXPECT_EQ(index.series_count(), 0u);
}

TEST(HeadIndex, CountsSeriesOfALabel) {
  IndexAndMap both;
  both.add(1, {{"__name__", "up"}, {"job", "a"}});
  both.add(2, {{"__name__", "up"}, {"job", "b"}});
  EXPECT_EQ(both.index.series_with("__name__", "up"), 2u);
  EXPECT_EQ(both.index.series_with("job", "a"), 1u);
  EXPECT_EQ(both.index.series_with("job", "c"), 0u);
  both.remove(1);
  EXPECT_EQ(both.index.series_with("job", "a"), 0u);
}

TEST(HeadIndex, RanksFollowNameThenValue) {
  IndexAndMap both;
  both.add(1, {{"b", "1"}, {"c", "0"}});
  both.add(2, {{"a", "2"}, {"b", "0"}});
  std::vector<PairId> pairs;
  both.index.add(3, Labels{{"a", "1"}, {"b", "0"}, {"b2", ""}, {"c", "1"}}, pairs);
  const std::vector<uint32_t> ranks = both.index.ranks();
  std::map<uint32_t, std::string> by_rank;
  for (PairId id = 0; id < ranks.size(); ++id) {
    const model::Label label = *model::LabelsView(both.index.pair(id)).begin();
    by_rank[ranks[id]] = std::string(label.name) + "=" + std::string(label.value);
  }
  std::vector<std::string> in_order;
  for (const auto& [rank, text] : by_rank) in_order.push_back(text);
  EXPECT_TRUE(std::is_sorted(in_order.begin(), in_order.end()));
  EXPECT_EQ(in_order.size(), ranks.size()) << "no rank is given twice";
}

TEST(HeadIndex, StatisticsCountAndCut) {
  IndexAndMap both;
  both.add(1, {{"__name__", "up"}, {"job", "a"}});
  both.add(2, {{"__name__", "up"}, {"job", "bb"}});
  both.add(3, {{"__name__", "down"}, {"job", "a"}});
  const HeadIndex::Statistics all = both.index.statistics(10);
  EXPECT_EQ(all.pairs, 4u);
  ASSERT_EQ(all.series_by_metric.size(), 2u);
  EXPECT_EQ(all.series_by_metric[0].name, "up");
  EXPECT_EQ(all.series_by_metric[0].count, 2u);
  ASSERT_EQ(all.bytes_by_name.size(), 2u);
  EXPECT_EQ(all.bytes_by_name[0].name, "__name__");
  EXPECT_EQ(all.bytes_by_name[0].count, 6u);
  ASSERT_EQ(all.series_by_pair.size(), 4u);
  EXPECT_EQ(all.series_by_pair[0].name, "__name__=up");
  EXPECT_EQ(both.index.statistics(1).series_by_pair.size(), 1u);
}

// A label that goes and comes back under another number while readers look at it.
TEST(HeadIndex, ReadersMayLookWhileSeriesComeAndGo) {
  HeadIndex index;
  std::vector<PairId> fixed;
  index.add(0, Labels{{"__name__", "up"}, {"job", "fixed"}}, fixed);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    SeededRandom random(3);
    for (int round = 0; round < 3000; ++round) {
      std::vector<std::vector<PairId>> pairs(4);
      for (uint32_t i = 0; i < pairs.size(); ++i)
        index.add(i + 1, Labels{{"__name__", "up"}, {"job", std::to_string(random.below(50))}},
                  pairs[i]);
      for (uint32_t i = 0; i < pairs.size(); ++i) index.remove(i + 1, pairs[i]);
    }
    over = true;
  });
  const Matchers fixed_alone = {matcher(MatchOp::kRegex, "job", "f.*")};
  const Matchers others = {matcher(MatchOp::kNotRegex, "job", "[0-9]+")};
  while (!over) {
    ASSERT_EQ(*index.select(fixed_alone), std::vector<uint32_t>{0});
    const auto found = *index.select({matcher(MatchOp::kEqual, "__name__", "up")});
    ASSERT_EQ(std::count(found.begin(), found.end(), 0u), 1);
    ASSERT_EQ(*index.label_values("job", fixed_alone), std::vector<std::string>{"fixed"});
  }
  writer.join();
  EXPECT_EQ(*index.select(others), std::vector<uint32_t>{0});
}

}  // namespace
}  // namespace binnacle::store::metrics
