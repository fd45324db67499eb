#include "collect/host/part_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

constexpr Metric kGood = gauge("good", "From the part that works.");
constexpr Metric kFirst = gauge("first", "Read before the fault.");
constexpr Metric kSecond = gauge("second", "Read after the fault.");

class GoodPart final : public Part {
 public:
  std::string_view name() const override { return "good"; }
  Status collect(Emitter& emitter) override {
    emitter.emit(kGood, 1);
    return {};
  }
};

class BreakingPart final : public Part {
 public:
  explicit BreakingPart(const bool& broken) : broken_(broken) {}
  std::string_view name() const override { return "breaking"; }
  Status collect(Emitter& emitter) override {
    emitter.emit(kFirst, 1);
    if (broken_) return fail(Code::kDataLoss, "read it: broken (test)");
    emitter.emit(kSecond, 2);
    return {};
  }

 private:
  const bool& broken_;
};

// Takes as long as it is told, on simulated time.
class SlowPart final : public Part {
 public:
  SlowPart(SimulatedClock& clock, const int64_t& work_ms, int& runs)
      : clock_(clock), work_ms_(work_ms), runs_(runs) {}
  std::string_view name() const override { return "slow"; }
  int64_t period_ms() const override { return 10'000; }
  Status collect(Emitter&) override {
    ++runs_;
    clock_.advance_ms(work_ms_);
    return {};
  }

 private:
  SimulatedClock& clock_;
  const int64_t& work_ms_;
  int& runs_;
};

class PartSetTest : public testing::Test {
 protected:
  double instrument(std::string_view wanted, std::string_view collector) {
    double found = -1;
    registry_.visit([&](std::string_view name, auto labels, double value) {
      if (name == wanted && (labels.empty() || labels[0].second == collector)) found = value;
    });
    return found;
  }
  Samples tick(PartSet& parts) {
    clock_.advance_ms(1000);
    EXPECT_TRUE(parts.collect(clock_.wall_ms()));
    return samples_at(store_, clock_.wall_ms());
  }
  int count_runs(PartSet& parts, int seconds, const int& runs) {
    const int before = runs;
    for (int i = 0; i < seconds; ++i) tick(parts);
    return runs - before;
  }

  SimulatedClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
};

TEST_F(PartSetTest, AFailingPartCostsTheOthersNothingAndKeepsWhatItRead) {
  bool broken = false;
  Parts list;
  list.push_back(std::make_unique<BreakingPart>(broken));
  list.push_back(std::make_unique<GoodPart>());
  PartSet parts(std::move(list), {}, 100, clock_, store_, registry_);
  EXPECT_EQ(tick(parts), (Samples{{"good", 1}, {"first", 1}, {"second", 2}}));
  EXPECT_EQ(instrument("binnacle_collector_success", "breaking"), 1);

  broken = true;
  LogCapture log;
  for (int i = 0; i < 3; ++i) {
    const Samples samples = tick(parts);
    EXPECT_EQ(samples.at("good"), 1);
    EXPECT_EQ(samples.at("first"), 1);
    ASSERT_EQ(samples.contains("second"), i == 0);
    if (i == 0) EXPECT_TRUE(model::is_stale(samples.at("second")));
  }
  EXPECT_EQ(instrument("binnacle_collector_success", "breaking"), 0);
  EXPECT_EQ(instrument("binnacle_collector_success", "good"), 1);
  EXPECT_EQ(instrument("binnacle_collector_failures_total", "breaking"), 3);
  ASSERT_EQ(log.lines().size(), 1u);  // once for the change, not for each run
  EXPECT_THAT(log.lines()[0], testing::HasSubstr("read it: broken (test)"));

  broken = false;
  EXPECT_EQ(tick(parts).at("second"), 2);
  EXPECT_EQ(log.lines().size(), 2u);
}

TEST_F(PartSetTest, APartWithAPeriodRunsFirstAndThenWhenItIsOver) {
  int64_t work_ms = 0;
  int runs = 0;
  Parts list;
  list.push_back(std::make_unique<SlowPart>(clock_, work_ms, runs));
  PartSet parts(std::move(list), {}, 100, clock_, store_, registry_);
  EXPECT_EQ(count_runs(parts, 1, runs), 1);
  EXPECT_EQ(count_runs(parts, 9, runs), 0);
  EXPECT_EQ(count_runs(parts, 1, runs), 1);
  EXPECT_EQ(count_runs(parts, 20, runs), 2);
}

TEST_F(PartSetTest, ADearPartRestsLongerThanItsPeriodButNotForEver) {
  int64_t work_ms = 30;
  int runs = 0;
  Parts list;
  list.push_back(std::make_unique<SlowPart>(clock_, work_ms, runs));
  PartSet parts(std::move(list), {}, 100, clock_, store_, registry_);
  EXPECT_EQ(count_runs(parts, 1, runs), 1);
  EXPECT_NEAR(instrument("binnacle_collector_duration_seconds", "slow"), 0.03, 1e-9);
  EXPECT_EQ(count_runs(parts, 29, runs), 0);  // 30 ms of work, a thousand times as long a rest
  EXPECT_EQ(count_runs(parts, 2, runs), 1);
  work_ms = 5000;
  EXPECT_EQ(count_runs(parts, 31, runs), 1);
  EXPECT_EQ(count_runs(parts, 61, runs), 1);
}

class BrokenStore final : public model::Appendable {
 public:
  class Broken final : public model::Appender {
   public:
    Result<model::SeriesRef> append(model::SeriesRef, model::LabelsView, model::Sample) override {
      return fail(Code::kResourceExhausted, "append: too many series (test)");
    }
    Result<model::CommitReport> commit() override {
      return fail(Code::kUnavailable, "commit: disk is full (test)");
    }
    void rollback() override {}
  };
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Broken>(); }
};

TEST_F(PartSetTest, AStoreThatRefusesIsCountedAndLoggedOnce) {
  BrokenStore broken;
  Parts list;
  list.push_back(std::make_unique<GoodPart>());
  PartSet parts(std::move(list), {}, 100, clock_, broken, registry_);
  LogCapture log;
  for (int i = 0; i < 2; ++i) {
    const Status done = parts.collect(clock_.wall_ms());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, Code::kUnavailable);
  }
  EXPECT_EQ(instrument("binnacle_collector_commit_failures_total", ""), 2);
  EXPECT_EQ(instrument("binnacle_collector_refused_samples_total", ""), 2);
  EXPECT_EQ(instrument("binnacle_collector_success", "good"), 1);
  EXPECT_EQ(log.lines().size(), 1u);
}

}  // namespace
}  // namespace binnacle::collect::host
