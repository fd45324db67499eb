#include "collect/ship/sample_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/fault_file_system.h"
#include "base/random.h"
#include "collect/ship/queue_folder.h"

namespace binnacle::collect::ship {
namespace {

using model::KnownSample;

const LabelsOfRef kLabels = [](model::SeriesRef ref, std::string& packed) {
  packed += model::Labels{{"__name__", "m"}, {"ref", std::to_string(ref)}}.packed();
  return true;
};

QueueOptions options(uint64_t max_bytes = uint64_t{1} << 20) {
  QueueOptions made;
  made.name = "test";
  made.max_bytes = max_bytes;
  made.segment_bytes = max_bytes / 16;
  return made;
}

class SampleQueueTest : public testing::Test {
 protected:
  Status open(QueueOptions opts = options()) {
    queue_ = nullptr;
    auto queue = SampleQueue::open("/q", std::move(opts), files_, registry_);
    if (!queue) return fail(queue.error());
    queue_ = std::move(*queue);
    series_.clear();
    return {};
  }

  // One append of `count` samples of the refs 1 .. count.
  Status append(int64_t ms, size_t count = 3) {
    std::vector<KnownSample> samples;
    for (size_t i = 1; i <= count; ++i) samples.push_back({i, {ms, static_cast<double>(i)}});
    return queue_->append(samples, kLabels);
  }

  // The time and labels of what one read brings; empty: nothing.
  std::vector<std::pair<int64_t, std::string>> read(size_t max_samples = 1000) {
    std::vector<std::pair<int64_t, std::string>> out;
    const auto more = queue_->read(max_samples, chunk_);
    EXPECT_TRUE(more) << more.error().message;
    if (!more || !*more) return out;
    if (chunk_.new_segment) series_.clear();
    EXPECT_EQ(series_.size(), chunk_.first_new_series);
    series_.insert(series_.end(), chunk_.new_series.begin(), chunk_.new_series.end());
    for (const QueuedSample& one : chunk_.samples) {
      const model::LabelsView labels(series_.at(one.series));
      EXPECT_EQ(labels.get("ref"), std::to_string(static_cast<int>(one.sample.value)));
      out.emplace_back(one.sample.timestamp_ms, labels.get("ref"));
    }
    return out;
  }
  std::vector<int64_t> drain() {
    std::vector<int64_t> times;
    while (true) {
      const auto got = read();
      if (got.empty()) return times;
      for (const auto& [ms, ref] : got) {
        if (times.empty() || times.back() != ms) times.push_back(ms);
      }
      queue_->acknowledge(chunk_);
    }
  }
  double dropped(const std::string& reason) {
    double sum = 0;
    registry_.visit([&](std::string_view name, auto labels, double value) {
      if (name == "binnacle_ship_samples_dropped_total" && labels.back().second == reason)
        sum += value;
    });
    return sum;
  }

  FaultFileSystem files_;
  Registry registry_;
  std::unique_ptr<SampleQueue> queue_;
  QueueChunk chunk_;
  std::vector<std::string> series_;
};

TEST_F(SampleQueueTest, GivesBackWhatWasAppendedInOrder) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append(1000));
  ASSERT_TRUE(append(2000));
  EXPECT_EQ(queue_->pending_samples(), 6U);
  EXPECT_EQ(queue_->oldest_time(), 1000);
  using Got = std::vector<std::pair<int64_t, std::string>>;
  EXPECT_EQ(read(1), (Got{{1000, "1"}, {1000, "2"}, {1000, "3"}})) << "appends come whole";
  EXPECT_EQ(read(), (Got{{2000, "1"}, {2000, "2"}, {2000, "3"}}));
  EXPECT_TRUE(read().empty());
  EXPECT_EQ(queue_->pending_samples(), 6U) << "read is not acknowledged";
  queue_->acknowledge(chunk_);
  EXPECT_EQ(queue_->oldest_time(), std::nullopt);
  ASSERT_TRUE(append(3000, 1));
  EXPECT_EQ(queue_->oldest_time(), 3000);
}

TEST_F(SampleQueueTest, GoesOnAfterAKillWhereItWas) {
  ASSERT_TRUE(open());
  for (int64_t ms = 1000; ms <= 5000; ms += 1000) ASSERT_TRUE(append(ms));
  read(3);
  queue_->acknowledge(chunk_);
  read(3);  // and is not acknowledged
  files_.crash(Crash::kKill);
  ASSERT_TRUE(open());
  EXPECT_EQ(queue_->pending_samples(), 12U);
  ASSERT_TRUE(append(6000));
  EXPECT_EQ(drain(), (std::vector<int64_t>{2000, 3000, 4000, 5000, 6000}));
  files_.crash(Crash::kKill);
  ASSERT_TRUE(open());
  EXPECT_EQ(queue_->pending_samples(), 0U);
}

TEST_F(SampleQueueTest, ASyncedAppendSurvivesAPowerCut) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append(1000));
  ASSERT_TRUE(queue_->sync());
  ASSERT_TRUE(append(2000));
  files_.crash(Crash::kPowerCut);
  ASSERT_TRUE(open());
  EXPECT_EQ(drain(), (std::vector<int64_t>{1000}));
  EXPECT_TRUE(queue_->gaps().empty()) << "a torn end is no damage";
}

TEST_F(SampleQueueTest, IsBoundedAndTellsWhatItLost) {
  std::vector<Gap> told;
  QueueOptions small = options(uint64_t{64} << 10);
  small.on_gap = [&told](const Gap& gap) { told.push_back(gap); };
  ASSERT_TRUE(open(small));
  int64_t ms = 0;
  while (told.size() < 3) {
    ASSERT_TRUE(append(ms += 1000, 50));
    ASSERT_LE(queue_->bytes(), small.max_bytes);
  }
  EXPECT_EQ(told[0].from_ms, 1000);
  EXPECT_EQ(told[1].from_ms, told[0].to_ms + 1000);
  EXPECT_EQ(told[0].reason, "queue_full");
  EXPECT_EQ(told[0].samples, static_cast<uint64_t>(told[0].to_ms / 1000 * 50));
  const auto times = drain();
  EXPECT_EQ(times.front(), told[2].to_ms + 1000) << "the rest is whole";
  EXPECT_EQ(times.back(), ms);
  EXPECT_EQ(times.size(), static_cast<size_t>((times.back() - times.front()) / 1000 + 1));
  EXPECT_GT(dropped("queue_full"), 0);
}

TEST_F(SampleQueueTest, TheReaderFollowsWhenItsSegmentIsDropped) {
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  ASSERT_TRUE(append(1000, 50));
  ASSERT_FALSE(read().empty());
  int64_t ms = 1000;
  while (queue_->gaps().empty()) ASSERT_TRUE(append(ms += 1000, 50));
  queue_->acknowledge(chunk_);  // of a segment that is gone
  const auto times = drain();
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(times.front(), queue_->gaps().back().to_ms + 1000);
  EXPECT_EQ(times.back(), ms);
}

TEST_F(SampleQueueTest, AFullDiskCostsTheOldest) {
  ASSERT_TRUE(open());
  files_.set_capacity(400'000);
  int64_t ms = 0;
  while (queue_->gaps().empty()) ASSERT_TRUE(append(ms += 1000, 100));
  EXPECT_EQ(queue_->gaps()[0].reason, "queue_full");
  const auto times = drain();
  EXPECT_EQ(times.back(), ms);
  files_.set_capacity(0);
  const Status none = append(ms += 1000);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kResourceExhausted);
  EXPECT_EQ(queue_->gaps().back().reason, "queue_error");
  const size_t gaps = queue_->gaps().size();
  ASSERT_FALSE(append(ms += 1000));
  EXPECT_EQ(queue_->gaps().size(), gaps) << "failures in a row are one gap";
  EXPECT_EQ(queue_->gaps().back().to_ms, ms);
  EXPECT_EQ(queue_->gaps().back().samples, 6U);
  files_.set_capacity(std::nullopt);
  ASSERT_TRUE(append(ms += 1000));
  EXPECT_EQ(drain(), (std::vector<int64_t>{ms}));
}

TEST_F(SampleQueueTest, SkipsADamagedSegmentAndTellsIt) {
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  int64_t ms = 0;
  while (queue_->bytes() < 20'000) ASSERT_TRUE(append(ms += 1000, 50));
  files_.corrupt(queue_segment_path("/q", 2), 600);
  const auto times = drain();
  ASSERT_EQ(queue_->gaps().size(), 1U);
  EXPECT_EQ(queue_->gaps()[0].reason, "damaged");
  EXPECT_LT(times.size(), static_cast<size_t>(ms / 1000));
  EXPECT_EQ(times.front(), 1000);
  EXPECT_EQ(times.back(), ms);
  ASSERT_TRUE(append(ms + 1000));
  EXPECT_EQ(drain(), (std::vector<int64_t>{ms + 1000}));
}

TEST_F(SampleQueueTest, FindsADamageWhenItOpens) {
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  int64_t ms = 0;
  while (queue_->bytes() < 20'000) ASSERT_TRUE(append(ms += 1000, 50));
  files_.crash(Crash::kKill);
  files_.corrupt(queue_segment_path("/q", 2), 600);
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  EXPECT_EQ(queue_->gaps().size(), 1U);
  const auto times = drain();
  EXPECT_EQ(times.front(), 1000);
  EXPECT_EQ(times.back(), ms);
  EXPECT_LT(times.size(), static_cast<size_t>(ms / 1000));
}

TEST_F(SampleQueueTest, AReadThatFailsIsReadAgain) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(append(1000));
  read();
  queue_->acknowledge(chunk_);
  ASSERT_TRUE(append(2000));
  files_.inject({.op = FileOp::kRead});
  EXPECT_FALSE(queue_->read(10, chunk_));
  EXPECT_EQ(drain(), (std::vector<int64_t>{2000}));
}

TEST_F(SampleQueueTest, RewindsOverSegmentsThatWereKept) {
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  int64_t ms = 0;
  while (queue_->bytes() < 20'000) ASSERT_TRUE(append(ms += 1000, 50));
  read(1);
  queue_->acknowledge(chunk_, chunk_.begin);
  const QueueMark second = [&] {
    read(1);
    return chunk_.begin;
  }();
  queue_->acknowledge(chunk_, second);
  while (!read().empty()) queue_->acknowledge(chunk_, second);
  EXPECT_EQ(queue_->pending_samples(), 0U);
  files_.crash(Crash::kKill);
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  EXPECT_EQ(queue_->pending_samples(), 0U);
  EXPECT_FALSE(queue_->kept().from < second);
  EXPECT_FALSE(second < queue_->kept().from);
  EXPECT_EQ(queue_->kept().from.samples, second.samples);
  queue_->rewind(queue_->kept().from);
  EXPECT_EQ(queue_->unread_samples(), static_cast<uint64_t>((ms / 1000 - 1) * 50));
  EXPECT_EQ(queue_->pending_samples(), 0U) << "it had arrived once";
  ASSERT_TRUE(append(ms += 1000, 50));
  const auto times = drain();
  EXPECT_EQ(times.front(), 2000);
  EXPECT_EQ(times.size(), static_cast<size_t>(ms / 1000 - 1));
  EXPECT_EQ(queue_->pending_samples(), 0U);
  EXPECT_EQ(queue_->unread_samples(), 0U);
  files_.crash(Crash::kKill);
  ASSERT_TRUE(open(options(uint64_t{64} << 10)));
  EXPECT_EQ(queue_->pending_samples(), 0U) << "the cursor went on";
}

TEST_F(SampleQueueTest, RefusesASecondOwner) {
  ASSERT_TRUE(open());
  const auto second = SampleQueue::open("/q", options(), files_, registry_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
}

TEST_F(SampleQueueTest, LeavesOutSeriesNobodyKnows) {
  ASSERT_TRUE(open());
  const std::vector<KnownSample> samples{{1, {1000, 1}}, {2, {1000, 2}}};
  ASSERT_TRUE(queue_->append(samples, [](model::SeriesRef ref, std::string& packed) {
    return ref == 2 && kLabels(ref, packed);
  }));
  EXPECT_EQ(read().size(), 1U);
  EXPECT_EQ(dropped("unknown_series"), 1);
}

// What was acknowledged to the writer and synced is read in order and at least once, wherever the
// power went or the process died.
TEST(SampleQueueFault, LosesNothingAcknowledgedAtAnyStepOfACrash) {
  for (const Crash kind : {Crash::kKill, Crash::kPowerCut, Crash::kTornPower}) {
    for (uint64_t step = 1; step < 120; ++step) {
      FaultFileSystem files(step);
      Registry registry;
      std::set<int64_t> taken;  // appended and synced
      std::set<int64_t> seen;   // acknowledged by the receiver
      std::multiset<int64_t> got;
      int64_t ms = 0;
      for (int life = 0; life < 3; ++life) {
        if (life < 2) files.power_off_after(step);
        auto queue = SampleQueue::open("/q", options(uint64_t{1} << 20), files, registry);
        QueueChunk chunk;
        for (int round = 0; queue && round < 30; ++round) {
          const std::vector<KnownSample> samples{{1, {++ms, 1}}};
          if ((*queue)->append(samples, kLabels) && (kind == Crash::kKill || (*queue)->sync()))
            taken.insert(ms);
          if (round % 2 == 0 && life < 2) continue;
          while (true) {
            const auto more = (*queue)->read(4, chunk);
            if (!more || !*more) break;
            for (const QueuedSample& one : chunk.samples) got.insert(one.sample.timestamp_ms);
            (*queue)->acknowledge(chunk);
          }
        }
        if (life == 2) ASSERT_TRUE(queue) << queue.error().message;
        if (life < 2) {
          queue = fail(Code::kUnavailable, "crashed");
          files.crash(kind);
        }
      }
      for (const int64_t one : taken)
        ASSERT_GT(got.count(one), 0U) << "crash " << int(kind) << " step " << step << " ms " << one;
      for (const int64_t one : got) {
        ASSERT_LE(one, ms);
        if (kind == Crash::kKill)
          ASSERT_LE(got.count(one), 3U) << "crash " << int(kind) << " step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace binnacle::collect::ship
