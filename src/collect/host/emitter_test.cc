#include "collect/host/emitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace binnacle::collect::host {
namespace {

using model::Labels;
using model::SeriesRef;
using testing::ElementsAre;

constexpr std::string_view kPair[] = {"a", "b"};
constexpr Metric kPlain = gauge("plain", "A plain gauge.");
constexpr Metric kDevice = counter("reads_total", "Reads.", kDeviceLabel);
constexpr Metric kTwo = gauge("two", "Two labels.", kPair);

struct Appended {
  SeriesRef ref_handed_in;
  std::string labels;
  model::Sample sample;
};

// Gives out refs as a store would and notes what it was handed.
class NotingAppender final : public model::Appender {
 public:
  Result<SeriesRef> append(SeriesRef ref, model::LabelsView labels, model::Sample sample) override {
    appended.push_back({ref, labels.to_string(), sample});
    if (refuse) return fail(Code::kOutOfRange, "append: too old (test)");
    return refs_.try_emplace(labels.to_string(), refs_.size() + 1).first->second;
  }
  Result<model::CommitReport> commit() override { return {}; }
  void rollback() override {}

  std::vector<Appended> appended;
  bool refuse = false;

 private:
  std::map<std::string, SeriesRef> refs_;
};

class EmitterTest : public testing::Test {
 protected:
  void run(auto&& emissions, size_t part = 0) {
    appender_.appended.clear();
    emitter_.begin_batch(appender_, ++now_ms_);
    emitter_.begin_part(part);
    emissions();
    emitter_.end_part();
  }
  std::vector<std::string> labels() const {
    std::vector<std::string> all;
    for (const Appended& one : appender_.appended) all.push_back(one.labels);
    return all;
  }

  int64_t now_ms_ = 1000;
  NotingAppender appender_;
  Emitter emitter_{Labels{{"instance", "i"}, {"device", "extra"}}, 4};
};

TEST_F(EmitterTest, PutsExtraLabelsOnEverySeriesAndLetsTheMetricsOwnWin) {
  run([&] {
    emitter_.emit(kPlain, 1);
    emitter_.emit(kDevice, {"sda"}, 2);
  });
  EXPECT_THAT(labels(), ElementsAre(R"(plain{device="extra", instance="i"})",
                                    R"(reads_total{device="sda", instance="i"})"));
  EXPECT_EQ(appender_.appended[1].sample.value, 2);
  EXPECT_EQ(appender_.appended[1].sample.timestamp_ms, now_ms_);
}

TEST_F(EmitterTest, HandsInTheRefThatTheStoreGaveBefore) {
  const auto both = [&] {
    emitter_.emit(kPlain, 1);
    emitter_.emit(kDevice, {"sda"}, 2);
  };
  run(both);
  EXPECT_EQ(appender_.appended[1].ref_handed_in, model::kNoSeries);
  run(both);
  EXPECT_EQ(appender_.appended[0].ref_handed_in, 1u);
  EXPECT_EQ(appender_.appended[1].ref_handed_in, 2u);
}

TEST_F(EmitterTest, MarksAVanishedSeriesStaleOnceAndTakesItUpAgain) {
  run([&] {
    emitter_.emit(kDevice, {"sda"}, 1);
    emitter_.emit(kDevice, {"sdb"}, 1);
  });
  const auto only_a = [&] { emitter_.emit(kDevice, {"sda"}, 2); };
  run(only_a);
  ASSERT_EQ(appender_.appended.size(), 2u);
  EXPECT_EQ(appender_.appended[1].labels, R"(reads_total{device="sdb", instance="i"})");
  EXPECT_TRUE(model::is_stale(appender_.appended[1].sample.value));
  run(only_a);
  EXPECT_EQ(appender_.appended.size(), 1u);

  run([&] { emitter_.emit(kDevice, {"sdb"}, 5); });  // now sda is the one that went
  ASSERT_EQ(appender_.appended.size(), 2u);
  EXPECT_EQ(appender_.appended[0].sample.value, 5);
  EXPECT_TRUE(model::is_stale(appender_.appended[1].sample.value));
}

TEST_F(EmitterTest, APartThatDidNotRunKeepsItsSeries) {
  run([&] { emitter_.emit(kDevice, {"sda"}, 1); }, 0);
  run([&] { emitter_.emit(kPlain, 1); }, 1);
  EXPECT_EQ(appender_.appended.size(), 1u);
  EXPECT_EQ(emitter_.series_count(), 2u);
}

TEST_F(EmitterTest, OfADoubledSeriesTheFirstCounts) {
  run([&] {
    emitter_.emit(kPlain, 1);
    emitter_.emit(kPlain, 2);
  });
  ASSERT_EQ(appender_.appended.size(), 1u);
  EXPECT_EQ(appender_.appended[0].sample.value, 1);
}

TEST_F(EmitterTest, LabelValuesDoNotRunTogether) {
  run([&] {
    emitter_.emit(kTwo, {"ab", "c"}, 1);
    emitter_.emit(kTwo, {"a", "bc"}, 2);
  });
  EXPECT_EQ(emitter_.series_count(), 2u);
}

TEST_F(EmitterTest, RefusesSeriesBeyondTheLimitAndCountsThem) {
  run([&] {
    for (const char* device : {"1", "2", "3", "4", "5", "6"}) emitter_.emit(kDevice, {device}, 1);
  });
  EXPECT_EQ(emitter_.series_count(), 4u);
  EXPECT_EQ(emitter_.refused_samples(), 2u);
}

TEST_F(EmitterTest, CountsWhatTheStoreRefusesAndGoesOn) {
  appender_.refuse = true;
  run([&] { emitter_.emit(kPlain, 1); });
  EXPECT_EQ(emitter_.refused_samples(), 1u);
  appender_.refuse = false;
  run([&] { emitter_.emit(kPlain, 1); });
  EXPECT_EQ(emitter_.refused_samples(), 1u);
  EXPECT_EQ(appender_.appended.size(), 1u);
}

TEST_F(EmitterTest, TakesWholeLabelSetsBesideItsOwnMetrics) {
  const Labels foreign{{"__name__", "plain"}, {"device", "own"}, {"zone", "1"}};
  run([&] {
    emitter_.emit_labels(foreign, 1);
    emitter_.emit_labels(foreign, 2);
    emitter_.emit(kPlain, 3);
  });
  EXPECT_THAT(labels(), ElementsAre(R"(plain{device="own", instance="i", zone="1"})",
                                    R"(plain{device="extra", instance="i"})"));
  EXPECT_EQ(appender_.appended[0].sample.value, 1);
  run([&] { emitter_.emit(kPlain, 3); });
  ASSERT_EQ(appender_.appended.size(), 2u);
  EXPECT_TRUE(model::is_stale(appender_.appended[1].sample.value));
  emitter_.describe("foreign", "Help.", model::MetricType::kGauge);
  emitter_.describe("foreign", "Other.", model::MetricType::kCounter);
  EXPECT_EQ(emitter_.metadata()[0].help, "Help.");
}

TEST_F(EmitterTest, NamedMetricsAreMadeOnceAndKnownByTheirMetadata) {
  const Metric& first = emitter_.named("node_x", "Help of x.", model::MetricType::kCounter);
  for (int i = 0; i < 100; ++i) {
    emitter_.named("node_" + std::to_string(i), "", model::MetricType::kGauge);
  }
  EXPECT_EQ(&emitter_.named("node_x", "other help", model::MetricType::kGauge), &first);
  EXPECT_TRUE(emitter_.metadata().empty());  // nothing was emitted yet
  run([&] { emitter_.emit(first, 1); });
  const auto metadata = emitter_.metadata();
  ASSERT_EQ(metadata.size(), 1u);
  EXPECT_EQ(metadata[0].name, "node_x");
  EXPECT_EQ(metadata[0].help, "Help of x.");
  EXPECT_EQ(metadata[0].type, model::MetricType::kCounter);
}

}  // namespace
}  // namespace binnacle::collect::host
