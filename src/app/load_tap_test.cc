#include "app/load_tap.h"

#include <gtest/gtest.h>

#include <map>

#include "model/sample.h"

namespace binnacle::app {
namespace {

using model::Labels;

// Gives a ref to each label set; a commit that is told to fails.
class Store final : public model::Appendable {
 public:
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Batch>(*this); }
  bool fails = false;

 private:
  class Batch final : public model::Appender {
   public:
    explicit Batch(Store& store) : store_(store) {}
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample) override {
      if (ref != model::kNoSeries) return ref;
      return store_.refs_.emplace(std::string(labels.packed()), store_.refs_.size() + 1)
          .first->second;
    }
    Result<model::CommitReport> commit() override {
      if (store_.fails) return fail(Code::kUnavailable, "no");
      return model::CommitReport{};
    }
    void rollback() override {}

   private:
    Store& store_;
  };
  std::map<std::string, model::SeriesRef> refs_;
};

Labels cpu(const char* number, const char* mode) {
  return Labels{{"__name__", "node_cpu_seconds_total"}, {"cpu", number}, {"mode", mode}};
}
Labels running(const char* model) {
  return Labels{{"__name__", "llm_requests_running"}, {"model", model}};
}

class LoadTapTest : public testing::Test {
 protected:
  model::SeriesRef write(const Labels& labels, double value, int64_t time_ms = 1000) {
    const auto batch = tap_.appender();
    const auto ref = batch->append(model::kNoSeries, labels, {time_ms, value});
    EXPECT_TRUE(ref);
    (void)batch->commit();
    return *ref;
  }
  void write_cpus(double user, double idle) {
    const auto batch = tap_.appender();
    for (const char* number : {"0", "1"}) {
      (void)batch->append(model::kNoSeries, cpu(number, "user"), {1000, user});
      (void)batch->append(model::kNoSeries, cpu(number, "idle"), {1000, idle});
    }
    (void)batch->commit();
  }

  Store store_;
  LoadTap tap_{store_};
};

TEST_F(LoadTapTest, TellsNothingBeforeItKnows) {
  EXPECT_FALSE(tap_.digest());
  write(Labels{{"__name__", "other"}}, 5);
  EXPECT_FALSE(tap_.digest());
}

TEST_F(LoadTapTest, CpuIsTheBusyShareOfTheLastCollection) {
  write_cpus(10, 100);
  ASSERT_TRUE(tap_.digest());
  EXPECT_EQ(tap_.digest()->cpu_permille, 0U);
  write_cpus(11, 103);
  EXPECT_EQ(tap_.digest()->cpu_permille, 250U);
  write_cpus(0, 0);  // counters began anew: the share stays
  EXPECT_EQ(tap_.digest()->cpu_permille, 250U);
  write_cpus(1, 0);
  EXPECT_EQ(tap_.digest()->cpu_permille, 1000U);
}

TEST_F(LoadTapTest, RequestsAreAddedUpUntilTheirEngineIsGone) {
  write(running("a"), 3);
  const auto second = write(running("b"), 4);
  write(Labels{{"__name__", "llm_requests_waiting"}}, 9);
  EXPECT_EQ(tap_.digest()->requests_running, 7U);
  EXPECT_EQ(tap_.digest()->requests_waiting, 9U);
  const auto batch = tap_.appender();
  (void)batch->append(second, {}, {2000, model::stale_nan()});
  EXPECT_EQ(tap_.digest()->requests_running, 7U) << "before the commit";
  (void)batch->commit();
  EXPECT_EQ(tap_.digest()->requests_running, 3U);
  write(running("b"), 1, 1'000'000);
  EXPECT_EQ(tap_.digest()->requests_running, 1U) << "nobody writes the first any more";
}

TEST_F(LoadTapTest, KnownSeriesAreSeenWithoutLabels) {
  const model::KnownSample known{write(running("a"), 3), {2000, 8}};
  const auto batch = tap_.appender();
  EXPECT_EQ(batch->append_known({&known, 1}), 1U);
  (void)batch->commit();
  EXPECT_EQ(tap_.digest()->requests_running, 8U);
}

TEST_F(LoadTapTest, WhatTheStoreRefusedIsNotTold) {
  store_.fails = true;
  write(running("a"), 3);
  EXPECT_FALSE(tap_.digest());
}

}  // namespace
}  // namespace binnacle::app
