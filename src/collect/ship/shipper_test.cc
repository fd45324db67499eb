#include "collect/ship/shipper.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/fault_file_system.h"
#include "base/log.h"
#include "collect/ship/test_receiver.h"

namespace binnacle::collect::ship {
namespace {

using model::KnownSample;

const LabelsOfRef kLabels = [](model::SeriesRef ref, std::string& packed) {
  packed += model::Labels{{"__name__", "m"}, {"ref", std::to_string(ref)}}.packed();
  return true;
};

class ShipperTest : public testing::Test {
 protected:
  ShipperTest() {
    io_.start();
    options_.name = "test";
    options_.batch_send_deadline_ms = 5;
    options_.min_backoff_ms = 1;
    options_.max_backoff_ms = 4;
    options_.flush_deadline_ms = 200;
    open();
  }

  void open() {
    shipper_ = nullptr;
    queue_ = nullptr;
    QueueOptions queue;
    queue.name = "test";
    auto opened = SampleQueue::open("/q", queue, files_, registry_);
    ASSERT_TRUE(opened) << opened.error().message;
    queue_ = std::move(*opened);
  }
  void ship(const TestReceiver& receiver) {
    options_.url = receiver.url();
    auto made =
        Shipper::create(options_, queue_, {io_, files_, clock_, random_, registry_, metadata_});
    ASSERT_TRUE(made) << made.error().message;
    shipper_ = std::move(*made);
    shipper_->start();
  }
  void append(int64_t ms, size_t series) {
    std::vector<KnownSample> samples;
    for (size_t i = 1; i <= series; ++i) samples.push_back({i, {ms, double(ms) + double(i)}});
    ASSERT_TRUE(queue_->append(samples, kLabels));
  }
  // Waits on the queue's end, at most ten seconds.
  bool drained() {
    const int64_t end_ms = clock_.monotonic_ms() + 10'000;
    Mutex mu;
    CondVar never;
    const MutexLock held(mu);
    while (queue_->pending_samples() > 0 && clock_.monotonic_ms() < end_ms)
      never.wait_for_ms(mu, 1);
    return queue_->pending_samples() == 0;
  }
  double metric(std::string_view wanted, std::string_view label = {}) {
    double sum = 0;
    registry_.visit([&](std::string_view name, auto labels, double value) {
      const bool fits = label.empty() || labels.back().second == label;
      if (name == wanted && fits) sum += value;
    });
    return sum;
  }

  SystemClock clock_;
  FaultFileSystem files_;
  Registry registry_;
  SystemRandom random_;
  net::IoThreads io_{2};
  ShipperOptions options_;
  std::function<std::vector<std::pair<std::string, model::MetricMetadata>>()> metadata_;
  std::shared_ptr<SampleQueue> queue_;
  std::unique_ptr<Shipper> shipper_;
  LogCapture quiet_;
};

TEST_F(ShipperTest, SendsEverySampleInOrderOverManyShards) {
  options_.max_samples_per_send = 10;
  options_.max_shards = 4;
  for (int64_t ms = 1; ms <= 40; ++ms) append(ms, 20);
  TestReceiver receiver;
  ship(receiver);
  ASSERT_TRUE(drained());
  const auto got = receiver.samples();
  ASSERT_EQ(got.size(), 20U);
  for (const auto& [series, samples] : got) {
    ASSERT_EQ(samples.size(), 40U) << series;
    for (int64_t i = 0; i < 40; ++i) {
      EXPECT_EQ(samples[static_cast<size_t>(i)].first, i + 1);
      EXPECT_EQ(samples[static_cast<size_t>(i)].second,
                double(i + 1) + std::stod(series.substr(series.find("ref=") + 4)));
    }
  }
  EXPECT_GE(receiver.requests(), 80);
  EXPECT_EQ(metric("binnacle_ship_samples_total"), 800);
  EXPECT_EQ(metric("binnacle_ship_shards"), 4);
  EXPECT_GT(shipper_->status().last_success_ms, 0);
}

TEST_F(ShipperTest, AddsExternalLabelsThenRelabels) {
  options_.external_labels = {{"cluster", "a"}, {"ref", "not this"}};
  model::RelabelSpec drop;
  drop.source_labels = {"ref"};
  drop.regex = "2";
  drop.action = model::RelabelAction::kDrop;
  model::RelabelSpec move;
  move.source_labels = {"cluster"};
  move.target_label = "where";
  for (const model::RelabelSpec& spec : {drop, move})
    options_.write_relabel.push_back(*model::RelabelRule::create(spec));
  append(1, 2);
  TestReceiver receiver;
  ship(receiver);
  ASSERT_TRUE(drained());
  const TestReceiver::Samples want{{"__name__=m;cluster=a;ref=1;where=a;", {{1, 2.0}}}};
  EXPECT_EQ(receiver.samples(), want);
  EXPECT_EQ(metric("binnacle_ship_samples_relabelled_away_total"), 1);
}

TEST_F(ShipperTest, WhatWaitsIsDurableAndWhatArrivesAtOnceCostsNoSync) {
  options_.sync_after_ms = 10'000;
  {
    TestReceiver receiver;
    ship(receiver);
    append(1, 3);
    ASSERT_TRUE(drained());
    const uint64_t before = files_.syncs();
    append(2, 3);
    ASSERT_TRUE(drained());
    EXPECT_EQ(files_.syncs(), before);
    shipper_->stop();
  }
  options_.sync_after_ms = 20;
  TestReceiver away([](int) { return net::Response::text(503, "not now"); });
  ship(away);
  append(3, 3);
  const uint64_t appended = files_.syncs();
  const int64_t end_ms = clock_.monotonic_ms() + 10'000;
  while (files_.syncs() == appended && clock_.monotonic_ms() < end_ms) std::this_thread::yield();
  shipper_ = nullptr;
  queue_ = nullptr;
  files_.crash(Crash::kPowerCut);
  open();
  EXPECT_GE(queue_->pending_samples(), 3U);
}

TEST_F(ShipperTest, TriesAgainUntilItArrives) {
  TestReceiver receiver([](int number) {
    constexpr int kStatus[] = {500, 503, 429, 401, 502};
    return number <= 5 ? net::Response::text(kStatus[number - 1], "not now")
                       : net::Response::text(200, "");
  });
  append(1, 3);
  ship(receiver);
  ASSERT_TRUE(drained());
  EXPECT_EQ(receiver.requests(), 6);
  EXPECT_EQ(receiver.count(), 3U);
  EXPECT_EQ(metric("binnacle_ship_samples_retried_total"), 15);
  EXPECT_EQ(metric("binnacle_ship_requests_total", "slowed"), 1);
  EXPECT_EQ(metric("binnacle_ship_requests_total", "failed"), 4);
  EXPECT_EQ(metric("binnacle_ship_samples_dropped_total"), 0);
}

TEST_F(ShipperTest, DropsWhatIsRefusedWithTheReceiversWords) {
  options_.max_samples_per_send = 3;
  options_.max_shards = 1;
  TestReceiver receiver([](int number) {
    return number == 2 ? net::Response::text(400, "out of bounds\nmore")
                       : net::Response::text(204, "");
  });
  for (int64_t ms = 1; ms <= 3; ++ms) append(ms, 3);
  ship(receiver);
  ASSERT_TRUE(drained());
  EXPECT_EQ(receiver.count(), 6U);
  EXPECT_EQ(metric("binnacle_ship_samples_dropped_total", "refused"), 3);
  EXPECT_TRUE(shipper_->status().last_error.empty()) << "the one after arrived";
  std::string said;
  for (const std::string& line : quiet_.lines()) said += line;
  EXPECT_NE(said.find("status 400: out of bounds\""), std::string::npos) << said;
}

TEST_F(ShipperTest, AReceiverThatHangsHoldsUpNoStopAndCostsNothing) {
  Mutex mu;
  CondVar release;
  bool go = false;
  append(1, 3);
  {
    TestReceiver hanging([&](int) {
      const MutexLock held(mu);
      while (!go) release.wait(mu);
      return net::Response::text(500, "");
    });
    ship(hanging);
    const int64_t end_ms = clock_.monotonic_ms() + 10'000;
    while (hanging.requests() == 0 && clock_.monotonic_ms() < end_ms) queue_->wait_ms(1, 1000);
    ASSERT_EQ(hanging.requests(), 1);
    const int64_t begin_ms = clock_.monotonic_ms();
    shipper_->stop();
    EXPECT_LT(clock_.monotonic_ms() - begin_ms, 5000) << "the request's own limit is 30 s";
    const MutexLock held(mu);
    go = true;
    release.notify_all();
  }
  EXPECT_EQ(queue_->pending_samples(), 3U);
  TestReceiver receiver;  // the next one goes on with the same queue, as after a reload
  ship(receiver);
  ASSERT_TRUE(drained());
  EXPECT_EQ(receiver.count(), 3U);
}

TEST_F(ShipperTest, WaitsForAReceiverThatIsNotThere) {
  options_.max_backoff_ms = 20;
  std::string url;
  {
    const TestReceiver gone;
    url = gone.url();
    ship(gone);
  }
  append(1, 3);
  const int64_t end_ms = clock_.monotonic_ms() + 10'000;
  while (metric("binnacle_ship_requests_total", "failed") < 3 && clock_.monotonic_ms() < end_ms)
    queue_->wait_ms(1, 1000);
  EXPECT_EQ(queue_->pending_samples(), 3U);
  EXPECT_FALSE(shipper_->status().last_error.empty());
  EXPECT_EQ(shipper_->status().url, url);
  shipper_->stop();
}

TEST_F(ShipperTest, SendsAgainWhatADeadReceiverMayHaveLost) {
  options_.max_shards = 1;
  std::atomic<int> dies_at = 0;
  TestReceiver receiver([&dies_at](int number) {
    net::Response answer = net::Response::text(204, "");
    // An answer that breaks in the middle, as of a process that dies.
    if (number == dies_at)
      answer.next_piece = [](std::string&) -> Result<bool> {
        return fail(Code::kInternal, "dead");
      };
    if (number == dies_at) answer.status = 200;
    return answer;
  });
  ship(receiver);
  append(1, 3);
  ASSERT_TRUE(drained());
  dies_at = receiver.requests() + 1;
  append(2, 3);
  ASSERT_TRUE(drained());
  const int64_t end_ms = clock_.monotonic_ms() + 10'000;
  while (queue_->unread_samples() > 0 && clock_.monotonic_ms() < end_ms) queue_->wait_ms(1, 1000);
  const std::vector<std::pair<int64_t, double>> want{{1, 2}, {2, 3}, {2, 3}, {1, 2}, {2, 3}};
  while (receiver.count() < 15 && clock_.monotonic_ms() < end_ms) queue_->wait_ms(1, 1000);
  EXPECT_EQ(receiver.samples().at("__name__=m;ref=1;"), want);
  EXPECT_EQ(metric("binnacle_ship_resends_total"), 1);
}

TEST_F(ShipperTest, SendsMetadata) {
  metadata_ = [] {
    return std::vector<std::pair<std::string, model::MetricMetadata>>{
        {"m", {model::MetricType::kGauge, "Help.", "s"}}};
  };
  TestReceiver receiver;
  ship(receiver);
  append(1, 1);
  ASSERT_TRUE(drained());
  const std::map<std::string, std::pair<int, std::string>> want{{"m", {2, "Help."}}};
  EXPECT_EQ(receiver.metadata(), want);
  EXPECT_EQ(metric("binnacle_ship_metadata_total"), 1);
}

TEST_F(ShipperTest, DropsWhatIsTooOldForTheReceiver) {
  options_.sample_age_limit_ms = 3'600'000;
  append(1, 2);
  append(clock_.wall_ms(), 1);
  TestReceiver receiver;
  ship(receiver);
  ASSERT_TRUE(drained());
  EXPECT_EQ(receiver.count(), 1U);
  EXPECT_EQ(metric("binnacle_ship_samples_dropped_total", "too_old"), 2);
}

TEST_F(ShipperTest, AReplayKeepsToItsRate) {
  options_.max_shards = 1;
  options_.max_samples_per_send = 100;
  options_.replay_samples_per_second = 1000;  // a burst of one second, then the rate
  for (int64_t ms = 1; ms <= 15; ++ms) append(ms, 100);
  TestReceiver receiver;
  const int64_t begin_ms = clock_.monotonic_ms();
  ship(receiver);
  ASSERT_TRUE(drained());
  EXPECT_GE(clock_.monotonic_ms() - begin_ms, 50) << "the samples beyond the burst had to wait";
  EXPECT_EQ(receiver.count(), 1500U);
}

TEST_F(ShipperTest, RefusesOptionsThatContradictEachOther) {
  options_.url = "ftp://x/";
  const auto refused =
      Shipper::create(options_, queue_, {io_, files_, clock_, random_, registry_, {}});
  ASSERT_FALSE(refused);
  options_.url = "http://x/";
  options_.min_shards = 9;
  options_.max_shards = 3;
  EXPECT_FALSE(Shipper::create(options_, queue_, {io_, files_, clock_, random_, registry_, {}}));
}

}  // namespace
}  // namespace binnacle::collect::ship
