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
