#include "collect/ship/remote_writers.h"

#include <gtest/gtest.h>

#include "base/fault_file_system.h"
#include "collect/ship/test_receiver.h"
#include "store/metrics/metric_store.h"

namespace binnacle::collect::ship {
namespace {

class RemoteWritersTest : public testing::Test {
 protected:
  RemoteWritersTest() { io_.start(); }

  std::unique_ptr<store::metrics::MetricStore> open_store() {
    auto store =
        store::metrics::MetricStore::open("/store", {}, files_, clock_, random_, registry_);
    CHECK(store);
    return std::move(*store);
  }
  static RemoteWriteConfig to(const std::string& name, const TestReceiver& receiver) {
    RemoteWriteConfig config;
    config.shipper.name = name;
    config.shipper.url = receiver.url();
    config.shipper.batch_send_deadline_ms = 5;
    config.shipper.flush_deadline_ms = 200;
    return config;
  }
  void append(double value) {
    auto appender = tee_.appender();
    ASSERT_TRUE(appender->append(0, model::Labels{{"__name__", "m"}},
                                 {clock_.wall_ms() + static_cast<int64_t>(value), value}));
    ASSERT_TRUE(appender->commit());
  }
  // At most ten seconds.
  bool arrives(const TestReceiver& receiver, size_t samples) {
    const int64_t end_ms = clock_.monotonic_ms() + 10'000;
    Mutex mu;
    CondVar never;
    const MutexLock held(mu);
    while (receiver.count() < samples && clock_.monotonic_ms() < end_ms) never.wait_for_ms(mu, 1);
    return receiver.count() == samples;
  }

  SystemClock clock_;
  FaultFileSystem files_;
  Registry registry_;
  SystemRandom random_;
  net::IoThreads io_{1};
  std::unique_ptr<store::metrics::MetricStore> store_ = open_store();
  TeeAppendable tee_{*store_, [this](model::SeriesRef ref, std::string& packed) {
                       return store_->append_labels(ref, packed);
                     }};
};

TEST_F(RemoteWritersTest, EachDestinationGetsEverySampleThroughReloads) {
  const TestReceiver first;
  const TestReceiver second;
  RemoteWriters writers("/ship", tee_, {io_, files_, clock_, random_, registry_, nullptr});
  ASSERT_TRUE(writers.apply({to("a", first), to("b", second)}));
  append(1);
  EXPECT_TRUE(arrives(first, 1));
  EXPECT_TRUE(arrives(second, 1));
  ASSERT_TRUE(writers.apply({to("b", second)}));
  append(2);
  EXPECT_TRUE(arrives(second, 2));
  EXPECT_EQ(first.count(), 1U);
  ASSERT_EQ(writers.status().size(), 1U);
  EXPECT_EQ(writers.status()[0].name, "b");

  // The queue goes with the name: what waits there goes to the new address.
  writers.stop();
  append(3);
  ASSERT_TRUE(writers.apply({to("b", first)}));
  EXPECT_TRUE(arrives(first, 2));
}

// Takes requests and answers none until it is let go.
class HangingReceiver {
 public:
  ~HangingReceiver() { let_go(); }
  void let_go() EXCLUDES(mu_) {
    const MutexLock held(mu_);
    open_ = true;
    changed_.notify_all();
  }
  void wait_asked() EXCLUDES(mu_) {
    const MutexLock held(mu_);
    while (!asked_) CHECK(changed_.wait_for_ms(mu_, 20'000));
  }
  const TestReceiver& receiver() const { return receiver_; }

 private:
  net::Response answer() EXCLUDES(mu_) {
    const MutexLock held(mu_);
    asked_ = true;
    changed_.notify_all();
    while (!open_) changed_.wait(mu_);
    return net::Response::text(204, "");
  }

  Mutex mu_;
  CondVar changed_;
  bool open_ GUARDED_BY(mu_) = false;
  bool asked_ GUARDED_BY(mu_) = false;
  const TestReceiver receiver_{[this](int) { return answer(); }};
};

TEST_F(RemoteWritersTest, AnUnchangedDestinationIsNotTouchedByAReload) {
  HangingReceiver slow;
  const TestReceiver other;
  RemoteWriters writers("/ship", tee_, {io_, files_, clock_, random_, registry_, nullptr});
  ASSERT_TRUE(writers.apply({to("slow", slow.receiver()), to("other", other)}));
  append(1);
  slow.wait_asked();
  EXPECT_TRUE(arrives(other, 1));
  RemoteWriteConfig changed = to("other", other);
  changed.shipper.max_samples_per_send = 7;
  ASSERT_TRUE(writers.apply({changed, to("slow", slow.receiver())}));
  append(2);
  EXPECT_TRUE(arrives(other, 2));
  slow.let_go();
  EXPECT_TRUE(arrives(slow.receiver(), 2));
  EXPECT_EQ(slow.receiver().requests(), 2) << "the request under way was not cut off";
}

TEST_F(RemoteWritersTest, ChangedDestinationsAreWaitedForTogether) {
  constexpr int64_t kFlushMs = 1'000;
  HangingReceiver hanging[3];
  RemoteWriters writers("/ship", tee_, {io_, files_, clock_, random_, registry_, nullptr});
  std::vector<RemoteWriteConfig> configs;
  for (const HangingReceiver& one : hanging) {
    configs.push_back(to(std::to_string(configs.size()), one.receiver()));
    configs.back().shipper.flush_deadline_ms = kFlushMs;
  }
  ASSERT_TRUE(writers.apply(configs));
  append(1);
  for (HangingReceiver& one : hanging) one.wait_asked();
  for (RemoteWriteConfig& config : configs) config.shipper.max_samples_per_send = 7;
  const int64_t began_ms = clock_.monotonic_ms();
  ASSERT_TRUE(writers.apply(configs));
  EXPECT_LT(clock_.monotonic_ms() - began_ms, 5 * kFlushMs / 2);
  for (HangingReceiver& one : hanging) one.let_go();
  // What was under way goes out again: it may not have arrived.
  for (HangingReceiver& one : hanging) EXPECT_TRUE(arrives(one.receiver(), 2));
}

TEST_F(RemoteWritersTest, ABadReloadChangesNothing) {
  const TestReceiver receiver;
  RemoteWriters writers("/ship", tee_, {io_, files_, clock_, random_, registry_, nullptr});
  ASSERT_TRUE(writers.apply({to("a", receiver)}));
  RemoteWriteConfig bad = to("b", receiver);
  bad.shipper.min_shards = 0;
  EXPECT_FALSE(writers.apply({bad}));
  EXPECT_FALSE(writers.apply({to("c", receiver), to("c", receiver)}));
  append(1);
  EXPECT_TRUE(arrives(receiver, 1));
}

TEST(QueueFolderName, IsSafeAndOneForEachDestination) {
  EXPECT_EQ(queue_folder_name("mimir-1"), "mimir-1");
  EXPECT_EQ(queue_folder_name("http://a:1/x").find('/'), std::string::npos);
  EXPECT_NE(queue_folder_name("a/b"), queue_folder_name("a:b"));
  EXPECT_EQ(queue_folder_name("../x").find(".."), std::string::npos);
  EXPECT_NE(queue_folder_name(""), "");
}

}  // namespace
}  // namespace binnacle::collect::ship
