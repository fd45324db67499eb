// The metric store against the obvious one: the same generated operations on both, and the same
// answers and refusals expected, over restarts, crashes, flushes and merges.
//
// Left out of what is generated, because the two may rightly differ: another value at a time that
// may be in a block already (the head cannot see it), a time far behind a series whose newest
// sample the head may have given away (it no longer knows how late that is).
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/metrics/head_series.h"
#include "store/metrics/linear_store.h"
#include "store/metrics/store_test_run.h"

namespace binnacle::store::metrics {
namespace {

using model::Labels;
using model::Matcher;
using model::Matchers;
using model::MatchOp;

using Lines = std::vector<std::string>;

constexpr int64_t kFar = int64_t{1} << 60;
constexpr int64_t kHourMs = 3'600'000;
constexpr uint64_t kSeries = 40;
constexpr int kSteps = 300;
constexpr uint64_t kSeeds = 30;

struct Sent {
  uint64_t series = 0;
  model::Sample sample;
};

std::string outcome(const Result<model::CommitReport>& report) {
  if (!report) return report.error().message;
  std::string out = fmt::format("{} stored", report->stored);
  for (const auto& refusal : report->refused)
    out += fmt::format(", {} {}", refusal.index, code_name(refusal.error.code));
  return out;
}

class Oracle {
 public:
  explicit Oracle(uint64_t seed) : random_(seed), run_(options(seed)), linear_(run_.clock) {
    EXPECT_TRUE(run_.open());
    for (uint64_t i = 0; i < kSeries; ++i) labels_.push_back(labels_of(i));
  }

  void step() {
    const uint64_t dice = random_.below(100);
    if (dice < 55) return append();
    if (dice < 75) return compare(random_matchers());
    if (dice < 80) return compare_names();
    if (dice < 85) return advance();
    if (dice < 89) return erase();
    if (dice < 93) return flush();
    if (dice < 95) return upkeep();
    if (dice < 97) return restart();
    crash();
  }
  void finish() {
    compare({});
    compare_names();
    const auto set = (*run_.store->querier(-kFar, kFar))->select({}, {});
    EXPECT_TRUE(set);
  }

 private:
  static StoreOptions options(uint64_t seed) {
    StoreOptions options;
    options.block_range_ms = seed % 3 == 0 ? 2 * kHourMs : kHourMs / 4;
    options.snapshot_bytes = 20'000;
    options.compaction_bytes_per_second = uint64_t{1} << 62;  // time stands still: no waiting
    options.wal.segment_bytes = 3000;
    return options;
  }

  static Labels labels_of(uint64_t i) {
    std::vector<std::pair<std::string, std::string>> out = {{"__name__", fmt::format("m{}", i % 5)},
                                                            {"n", std::to_string(i)}};
    if (i % 3 != 0) out.emplace_back("zone", fmt::format("z{}", i % 4));
    if (i % 7 == 1) out.emplace_back("empty_for_most", "x");
    model::LabelsBuilder builder;
    for (const auto& [name, value] : out) builder.set(name, value);
    return builder.build();
  }

  int64_t now_ms() const { return run_.clock.wall_ms(); }

  // A time at which both must come to the same decision; nothing where this one is not.
  std::optional<Sent> generate(const std::vector<Sent>& batch) {
    const uint64_t series = random_.below(kSeries);
    const std::map<int64_t, double> past =
        sent_.contains(series) ? sent_[series] : std::map<int64_t, double>();
    int64_t at_ms = now_ms() - static_cast<int64_t>(random_.below(20'000));
    const uint64_t dice = random_.below(20);
    if (dice < 4) at_ms = now_ms() - static_cast<int64_t>(random_.below(kHourMs * 2));
    if (dice == 4) at_ms = now_ms() + static_cast<int64_t>(random_.below(1'200'000));
    if (dice == 5) at_ms = now_ms() - static_cast<int64_t>(random_.below(30 * kHourMs));
    if (dice < 9 && dice > 5 && !past.empty())
      at_ms = std::next(past.begin(), static_cast<ptrdiff_t>(random_.below(past.size())))->first;
    double value = static_cast<double>(random_.below(1000));
    const auto before = past.find(at_ms);
    if (before != past.end() && random_.below(2) == 0) value = before->second;
    if (random_.below(40) == 0) value = model::stale_nan();

    int64_t newest_ms = past.empty() ? at_ms : past.rbegin()->first;
    for (const Sent& one : batch) {
      if (one.series == series) newest_ms = std::max(newest_ms, one.sample.timestamp_ms);
    }
    const bool late = newest_ms - at_ms > run_.options_.limits.out_of_order_ms;
    if (late && (vague_.contains(series) || at_ms < cut_ms_)) return {};
    if (before != past.end()) {
      const bool other = !same_bits(before->second, value);
      if (other && at_ms < cut_ms_) return {};
    }
    return Sent{series, {at_ms, value}};
  }

  void append() {
    std::vector<Sent> batch;
    std::set<std::pair<uint64_t, int64_t>> times;
    for (uint64_t n = 1 + random_.below(40); n > 0; --n) {
      const auto one = generate(batch);
      // What one batch says twice is told in order; kept apart from what was sent before.
      if (one && times.emplace(one->series, one->sample.timestamp_ms).second) batch.push_back(*one);
    }
    const auto ours = run_.store->appender();
    const auto theirs = linear_.appender();
    const bool by_ref = random_.below(2) == 0;
    for (const Sent& one : batch) {
      model::SeriesRef& ref = refs_[one.series];
      const auto known =
          ours->append(by_ref ? ref : model::kNoSeries, labels_[one.series], one.sample);
      ASSERT_TRUE(known);
      ref = *known;
      tried_.insert(one.series);
      ASSERT_TRUE(theirs->append(model::kNoSeries, labels_[one.series], one.sample));
    }
    const auto report = ours->commit();
    EXPECT_EQ(outcome(report), outcome(theirs->commit()));
    std::set<size_t> refused;
    if (report)
      for (const auto& refusal : report->refused) refused.insert(refusal.index);
    for (size_t i = 0; i < batch.size(); ++i) {
      if (refused.contains(i)) continue;
      auto& past = sent_[batch[i].series];
      if (past.empty() || batch[i].sample.timestamp_ms > past.rbegin()->first)
        vague_.erase(batch[i].series);
      past[batch[i].sample.timestamp_ms] = batch[i].sample.value;
    }
  }

  Matchers random_matchers() {
    Matchers out;
    for (uint64_t n = random_.below(3); n > 0; --n) {
      static const std::vector<std::pair<std::string, std::vector<std::string>>> kWanted = {
          {"__name__", {"m1", "m4", "", "m[0-2]", ".*", "m9"}},
          {"n", {"7", "1.", "", ".+", "3|5|8"}},
          {"zone", {"z1", "z[23]", "", ".*", ".+", "z1|"}},
          {"empty_for_most", {"x", "", ".+"}},
          {"nowhere", {"", ".*", "x"}}};
      const auto& [name, values] = kWanted[random_.below(kWanted.size())];
      const auto op = static_cast<MatchOp>(random_.below(4));
      out.push_back(*Matcher::create(op, name, values[random_.below(values.size())]));
    }
    return out;
  }

  void compare(const Matchers& matchers) {
    const bool all = random_.below(3) == 0;
    const int64_t min_ms =
        all ? -kFar : now_ms() - static_cast<int64_t>(random_.below(26 * kHourMs));
    const int64_t max_ms = all ? kFar : min_ms + static_cast<int64_t>(random_.below(5 * kHourMs));
    expect_same(dump(*run_.store, matchers, min_ms, max_ms, run_.start_ms),
                dump(linear_, matchers, min_ms, max_ms, run_.start_ms));
  }

  // The lines that differ are enough to read.
  static void expect_same(const Lines& ours, const Lines& theirs) {
    EXPECT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
      EXPECT_EQ(ours[i], theirs[i]);
      if (ours[i] != theirs[i]) return;
    }
  }

  // Of the whole range; the real store may know names of series without samples for a while.
  void compare_names() {
    const Matchers matchers = random_matchers();
    const auto ours = *run_.store->querier(-kFar, kFar);
    const auto theirs = *linear_.querier(-kFar, kFar);
    expect_known(*ours->label_names(matchers, 0), *theirs->label_names(matchers, 0));
    for (const char* name : {"__name__", "n", "zone", "empty_for_most", "nowhere"})
      expect_known(*ours->label_values(name, matchers, 0),
                   *theirs->label_values(name, matchers, 0));
  }
  void expect_known(const std::vector<std::string>& ours, const std::vector<std::string>& theirs) {
    if (!erased_ && !refused_only()) {
      EXPECT_EQ(ours, theirs);
    } else {
      EXPECT_TRUE(std::ranges::includes(ours, theirs));
    }
  }
  // A series of which all was refused has a name and no sample.
  bool refused_only() const {
    return std::ranges::any_of(tried_, [&](uint64_t one) { return !sent_.contains(one); });
  }

  void advance() { run_.clock.advance_ms(static_cast<int64_t>(random_.below(kHourMs))); }

  void erase() {
    const Matchers matchers = random_matchers();
    if (matchers.empty()) return;
    const int64_t min_ms = now_ms() - static_cast<int64_t>(random_.below(6 * kHourMs));
    const int64_t max_ms = min_ms + static_cast<int64_t>(random_.below(2 * kHourMs));
    ASSERT_TRUE(run_.store->delete_series(matchers, min_ms, max_ms));
    linear_.delete_series(matchers, min_ms, max_ms);
    erased_ = true;
    for (uint64_t i = 0; i < kSeries; ++i) {
      if (model::matches_all(matchers, labels_[i])) vague_.insert(i);
    }
  }

  void note_cut(int64_t cut_ms) {
    cut_ms_ = std::max(cut_ms_, cut_ms);
    for (const auto& [series, past] : sent_) {
      if (past.empty() || past.rbegin()->first < cut_ms) vague_.insert(series);
    }
  }
  void flush() {
    const int64_t cut_ms =
        random_.below(4) == 0 ? kFar : now_ms() - static_cast<int64_t>(random_.below(4 * kHourMs));
    const Status flushed = run_.store->flush(cut_ms);
    ASSERT_TRUE(flushed) << flushed.error().message;
    note_cut(cut_ms);
  }
  void upkeep() {
    run_.store->upkeep_once();
    note_cut(now_ms());
  }
  void restart() {
    run_.close();
    refs_.clear();  // known to the process that gave them
    ASSERT_TRUE(run_.open());
  }
  void crash() {
    run_.crash(static_cast<Crash>(random_.below(3)));
    refs_.clear();
    ASSERT_TRUE(run_.open());
  }

  SeededRandom random_;
  StoreTestRun run_;
  LinearStore linear_;
  std::vector<Labels> labels_;
  std::map<uint64_t, model::SeriesRef> refs_;
  std::map<uint64_t, std::map<int64_t, double>> sent_;  // and accepted, deleted or not
  std::set<uint64_t> tried_;                            // and not always accepted
  std::set<uint64_t> vague_;  // how late a sample of it is, the head may not know
  int64_t cut_ms_ = -kFar;    // what is older may be in blocks alone
  bool erased_ = false;
};

TEST(StoreOracle, AnswersAndRefusalsAreThoseOfTheObviousStore) {
  for (uint64_t seed = 1; seed <= kSeeds; seed += kTestStride) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Oracle oracle(seed);
    for (int i = 0; i < kSteps && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(fmt::format("step {}", i));
      oracle.step();
    }
    if (!testing::Test::HasFailure()) oracle.finish();
    if (testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace binnacle::store::metrics
