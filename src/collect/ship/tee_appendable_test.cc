#include "collect/ship/tee_appendable.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "base/fault_file_system.h"
#include "base/log.h"
#include "collect/ship/queue_appendable.h"
#include "store/metrics/metric_store.h"

namespace binnacle::collect::ship {
namespace {

using model::Labels;

class TeeAppendableTest : public testing::Test {
 protected:
  TeeAppendableTest() {
    auto store =
        store::metrics::MetricStore::open("/store", {}, files_, clock_, random_, registry_);
    CHECK(store);
    store_ = std::move(*store);
    queue_ = open_queue("one");
    tee_ =
        std::make_unique<TeeAppendable>(*store_, [this](model::SeriesRef ref, std::string& packed) {
          return store_->append_labels(ref, packed);
        });
    tee_->set_queues({queue_});
    now_ms_ = clock_.wall_ms();
  }

  std::shared_ptr<SampleQueue> open_queue(const std::string& name) {
    QueueOptions options;
    options.name = name;
    auto queue = SampleQueue::open("/" + name, options, files_, registry_);
    CHECK(queue);
    return std::move(*queue);
  }
  // "labels time value" of what is in the queue and was not read yet.
  static std::vector<std::string> read(SampleQueue& queue) {
    std::vector<std::string> out;
    std::vector<std::string> series;
    for (QueueChunk chunk; *queue.read(1000, chunk);) {
      if (chunk.new_segment) series.clear();
      series.insert(series.end(), chunk.new_series.begin(), chunk.new_series.end());
      for (const QueuedSample& one : chunk.samples) {
        out.push_back(model::LabelsView(series.at(one.series)).to_string() + " " +
                      std::to_string(static_cast<int>(one.sample.value)));
      }
    }
    return out;
  }

  SimulatedClock clock_;
  FaultFileSystem files_;
  SeededRandom random_{1};
  Registry registry_;
  std::unique_ptr<store::metrics::MetricStore> store_;
  std::shared_ptr<SampleQueue> queue_;
  std::unique_ptr<TeeAppendable> tee_;
  int64_t now_ms_ = 0;
  LogCapture quiet_;
};

TEST_F(TeeAppendableTest, WhatTheStoreTookIsInTheQueue) {
  auto appender = tee_->appender();
  const Labels up{{"__name__", "up"}};
  const Labels down{{"__name__", "down"}};
  const auto ref = appender->append(0, up, {now_ms_, 1});
  ASSERT_TRUE(ref);
  ASSERT_TRUE(appender->append(0, down, {now_ms_, 2}));
  EXPECT_TRUE(read(*queue_).empty()) << "nothing before commit()";
  ASSERT_TRUE(appender->commit());
  const model::KnownSample known{*ref, {now_ms_ + 1000, 3}};
  ASSERT_EQ(appender->append_known({&known, 1}), 1U);
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(read(*queue_), (std::vector<std::string>{"up 1", "down 2", "up 3"}));
}

TEST_F(TeeAppendableTest, WhatTheStoreRefusedIsNot) {
  auto appender = tee_->appender();
  const Labels up{{"__name__", "up"}};
  const auto ref = appender->append(0, up, {now_ms_, 1});
  ASSERT_TRUE(ref);
  const model::KnownSample samples[] = {{999'999, {now_ms_, 7}}};
  EXPECT_EQ(appender->append_known(samples), 0U) << "no such series";
  EXPECT_FALSE(appender->append(999'999, {}, {now_ms_, 8}));
  ASSERT_TRUE(appender->append(*ref, {}, {now_ms_ - 100 * 3'600'000, 9}));  // too old
  ASSERT_TRUE(appender->append(*ref, {}, {now_ms_ + 1000, 2}));
  const auto report = appender->commit();
  ASSERT_TRUE(report);
  ASSERT_EQ(report->refused.size(), 1U);
  EXPECT_EQ(read(*queue_), (std::vector<std::string>{"up 1", "up 2"}));
}

TEST_F(TeeAppendableTest, ADestinationOfLaterLearnsKnownSeries) {
  auto appender = tee_->appender();
  const auto ref = appender->append(0, Labels{{"__name__", "up"}}, {now_ms_, 1});
  ASSERT_TRUE(appender->commit());
  const auto later = open_queue("two");
  tee_->set_queues({queue_, later});
  appender = tee_->appender();
  ASSERT_TRUE(appender->append(*ref, {}, {now_ms_ + 1000, 2}));
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(read(*queue_), (std::vector<std::string>{"up 1", "up 2"}));
  EXPECT_EQ(read(*later), (std::vector<std::string>{"up 2"}));
}

TEST_F(TeeAppendableTest, AQueueThatFailsDoesNotHoldTheStoreBack) {
  auto appender = tee_->appender();
  ASSERT_TRUE(appender->append(0, Labels{{"__name__", "up"}}, {now_ms_, 1}));
  files_.inject({.op = FileOp::kWrite, .path_part = "/one", .lasting = true});
  ASSERT_TRUE(appender->commit());
  ASSERT_EQ(queue_->gaps().size(), 1U);
  EXPECT_EQ(queue_->gaps()[0].from_ms, now_ms_);
  files_.clear_faults();
  ASSERT_TRUE(appender->append(0, Labels{{"__name__", "up"}}, {now_ms_ + 1000, 2}));
  ASSERT_TRUE(appender->commit());
  EXPECT_EQ(read(*queue_), (std::vector<std::string>{"up 2"}));
}

TEST_F(TeeAppendableTest, RolledBackIsGone) {
  auto appender = tee_->appender();
  ASSERT_TRUE(appender->append(0, Labels{{"__name__", "up"}}, {now_ms_, 1}));
  appender->rollback();
  ASSERT_TRUE(appender->commit());
  EXPECT_TRUE(read(*queue_).empty());
}

class QueueAppendableTest : public TeeAppendableTest {};

TEST_F(QueueAppendableTest, FillsTheQueueByLabelsAndByRefs) {
  QueueAppendable store(*queue_, {}, clock_, registry_);
  auto appender = store.appender();
  const Labels up{{"__name__", "up"}};
  const auto ref = appender->append(0, up, {1000, 1});
  ASSERT_TRUE(ref);
  EXPECT_EQ(*appender->append(0, up, {2000, 2}), *ref);
  EXPECT_EQ(*appender->append(*ref, {}, {3000, 3}), *ref);
  EXPECT_EQ(appender->append(77, {}, {3000, 3}).error().code, Code::kNotFound);
  const auto report = appender->commit();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->stored, 3U);
  EXPECT_EQ(read(*queue_), (std::vector<std::string>{"up 1", "up 2", "up 3"}));
  appender->append_metadata("up", {model::MetricType::kGauge, "Whether it is.", ""});
  ASSERT_EQ(store.metadata().size(), 1U);
  EXPECT_EQ(store.metadata()[0].second.help, "Whether it is.");
}

TEST_F(QueueAppendableTest, ForgetsSeriesOnlyToMakeRoom) {
  QueueAppendable store(*queue_, {.max_series = 2, .forget_after_ms = 60'000}, clock_, registry_);
  auto appender = store.appender();
  const auto a = appender->append(0, Labels{{"__name__", "a"}}, {1000, 1});
  const auto b = appender->append(0, Labels{{"__name__", "b"}}, {1000, 1});
  EXPECT_EQ(appender->append(0, Labels{{"__name__", "c"}}, {1000, 1}).error().code,
            Code::kResourceExhausted);
  clock_.advance_ms(60'000);
  EXPECT_TRUE(appender->append(*b, {}, {2000, 2}));
  EXPECT_TRUE(appender->append(0, Labels{{"__name__", "c"}}, {2000, 1}));
  EXPECT_EQ(appender->append(*a, {}, {2000, 1}).error().code, Code::kNotFound);
  EXPECT_EQ(store.series(), 2U);
}

}  // namespace
}  // namespace binnacle::collect::ship
