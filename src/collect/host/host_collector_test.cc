#include "collect/host/host_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "collect/host/linux/part_fixture.h"

namespace binnacle::collect::host {
namespace {

using testing::HasSubstr;

const model::Labels kExtra{{"instance", "n1"}, {"job", "node"}};

class HostCollectorTest : public testing::Test {
 protected:
  HostCollectorTest() {
    tree_.write("proc/stat", "cpu0 100 0 0 200 0 0 0 0 0 0\nintr 5 1 1\nctxt 6\nbtime 7\n");
    tree_.write("proc/meminfo", "MemTotal: 2 kB\n");
    tree_.write("proc/loadavg", "0.5 0.25 0.125 1/95 7776\n");
    tree_.write("proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n");
    tree_.write("proc/net/dev",
                "heading\nheading\n eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
    tree_.write("proc/net/netstat", "");
    tree_.write("proc/net/snmp", "Ip: Forwarding\nIp: 1\n");
    tree_.write("proc/sys/fs/file-nr", "592 0 1000\n");
    tree_.write("proc/vmstat", "pgfault 9\n");
    tree_.write("proc/1/mounts", "proc /proc proc rw 0 0\n");
    tree_.write("proc/sys/kernel/pid_max", "32768\n");
    tree_.write("proc/sys/kernel/threads-max", "1000\n");
    tree_.write("proc/1/stat", "1 (init) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5\n");
    tree_.write("sys/class/net/eth0/operstate", "up\n");
    std::filesystem::create_directories(tree_.path("sys/devices/system/cpu"));
  }

  Result<std::unique_ptr<HostCollector>> create(HostOptions options) {
    return HostCollector::create(options, real_file_system(), clock_, store_, registry_, kExtra);
  }
  std::vector<std::string> failing() {
    std::vector<std::string> names;
    registry_.visit([&](std::string_view name, auto labels, double value) {
      if (name == "binnacle_collector_success" && value == 0) names.push_back(labels[0].second);
    });
    return names;
  }

  RecordedTree tree_;
  SimulatedClock clock_;
  Registry registry_;
  store::metrics::LinearStore store_{clock_};
};

TEST_F(HostCollectorTest, OneTickStoresWhatEveryPartRead) {
  const auto collector = create(tree_.options());
  ASSERT_TRUE(collector);
  ASSERT_TRUE((*collector)->collect_once(clock_.wall_ms()));
  const Samples samples = samples_at(store_, clock_.wall_ms());
  const auto value = [&](const std::string& name, const std::string& own = "") {
    const std::string labels = own + R"(instance="n1", job="node"})";
    const auto found = samples.find(name + "{" + labels);
    return found == samples.end() ? NAN : found->second;
  };
  EXPECT_EQ(value("node_memory_MemTotal_bytes"), 2048);
  EXPECT_EQ(value("node_load15"), 0.125);
  EXPECT_EQ(value("node_disk_read_bytes_total", R"(device="sda", )"), 3 * 512);
  EXPECT_EQ(value("node_network_receive_bytes_total", R"(device="eth0", )"), 1);
  EXPECT_EQ(value("node_network_up", R"(device="eth0", )"), 1);
  EXPECT_EQ(value("node_netstat_Ip_Forwarding"), 1);
  EXPECT_EQ(value("node_filefd_allocated"), 592);
  EXPECT_EQ(value("node_vmstat_pgfault"), 9);
  EXPECT_EQ(value("node_processes_pids"), 1);
  EXPECT_EQ(value("node_time_seconds"), 1'700'000'000);
  EXPECT_THAT(failing(), testing::IsEmpty());
  bool has_load = false;
  for (const MetricInfo& info : (*collector)->metadata()) {
    has_load = has_load || (info.name == "node_load1" && info.help == "1m load average.");
  }
  EXPECT_TRUE(has_load);
}

TEST_F(HostCollectorTest, AMissingFileAndBrokenContentCostTheirOwnPartsAlone) {
  tree_.remove("proc/stat");
  tree_.write("proc/meminfo", std::string(5 << 20, 'x'));
  tree_.write("proc/diskstats", "8 0 sda 1 2 banana\n8 16 sdb 1 2 3 4 5 6 7 8 9 10 11\n");
  const auto collector = create(tree_.options());
  ASSERT_TRUE(collector);
  ASSERT_TRUE((*collector)->collect_once(clock_.wall_ms()));
  EXPECT_THAT(failing(), testing::UnorderedElementsAre("stat", "meminfo", "diskstats"));
  const Samples samples = samples_at(store_, clock_.wall_ms());
  EXPECT_TRUE(samples.contains(R"(node_load1{instance="n1", job="node"})"));
  EXPECT_TRUE(samples.contains(
      R"(node_disk_io_time_seconds_total{device="sdb", instance="n1", job="node"})"));
}

TEST_F(HostCollectorTest, RefusesOptionsThatMakeNoSense) {
  HostOptions bad_pattern = tree_.options();
  bad_pattern.disk_exclude = "(";
  const auto pattern = create(bad_pattern);
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().code, Code::kInvalidArgument);
  EXPECT_THAT(pattern.error().message, HasSubstr("(()"));

  for (const int64_t interval_ms : {int64_t{0}, int64_t{99}, int64_t{120'001}}) {
    HostOptions options = tree_.options();
    options.interval_ms = interval_ms;
    const auto collector = create(options);
    ASSERT_FALSE(collector) << interval_ms;
    EXPECT_EQ(collector.error().code, Code::kInvalidArgument);
  }
}

// Lets a test wait for commits instead of for time.
class CountingStore final : public model::Appendable {
 public:
  explicit CountingStore(model::Appendable& store) : store_(store) {}

  class Counting final : public model::Appender {
   public:
    Counting(CountingStore& owner, std::unique_ptr<model::Appender> appender)
        : owner_(owner), appender_(std::move(appender)) {}
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample sample) override {
      return appender_->append(ref, labels, sample);
    }
    Result<model::CommitReport> commit() override {
      auto done = appender_->commit();
      MutexLock lock(owner_.mu_);
      ++owner_.commits_;
      owner_.changed_.notify_all();
      return done;
    }
    void rollback() override { appender_->rollback(); }

   private:
    CountingStore& owner_;
    std::unique_ptr<model::Appender> appender_;
  };

  std::unique_ptr<model::Appender> appender() override {
    return std::make_unique<Counting>(*this, store_.appender());
  }
  void wait_for_commits(int more) {
    MutexLock lock(mu_);
    const int wanted = commits_ + more;
    while (commits_ < wanted) changed_.wait(mu_);
  }
  void wait_until(int commits) {
    MutexLock lock(mu_);
    while (commits_ < commits) changed_.wait(mu_);
  }
  int commits() {
    MutexLock lock(mu_);
    return commits_;
  }

 private:
  model::Appendable& store_;
  Mutex mu_;
  CondVar changed_;
  int commits_ GUARDED_BY(mu_) = 0;
};

size_t series_in(model::Queryable& store) {
  const auto querier = store.querier(0, 1LL << 60);
  const auto set = (*querier)->select({}, {});
  size_t count = 0;
  for (model::SeriesColumns series; (*set)->next(series);) ++count;
  return count;
}

TEST_F(HostCollectorTest, TicksByItselfBetweenStartAndStop) {
  const SystemClock clock;
  store::metrics::LinearStore store(clock);
  CountingStore counting(store);
  HostOptions options = tree_.options();
  options.interval_ms = 100;
  const auto collector =
      HostCollector::create(options, real_file_system(), clock, counting, registry_, kExtra);
  ASSERT_TRUE(collector);
  (*collector)->start();
  counting.wait_for_commits(5);
  (*collector)->stop();
  const int commits = counting.commits();
  EXPECT_GT(series_in(store), 50u);
  (*collector)->start();
  counting.wait_for_commits(1);
  (*collector)->stop();
  EXPECT_GT(counting.commits(), commits);
}

// Tells which threads ran it.
class ThreadPart final : public Part {
 public:
  explicit ThreadPart(std::set<std::thread::id>& threads) : threads_(threads) {}
  std::string_view name() const override { return "threads"; }
  Status collect(Emitter& /*emitter*/) override {
    threads_.insert(std::this_thread::get_id());
    return {};
  }

 private:
  std::set<std::thread::id>& threads_;
};

TEST_F(HostCollectorTest, AnIntervalChangesWithoutANewThreadOrPart) {
  const SystemClock clock;
  store::metrics::LinearStore store(clock);
  CountingStore counting(store);
  HostOptions options = tree_.options();
  options.interval_ms = 120'000;
  std::set<std::thread::id> threads;
  Parts further;
  further.push_back(std::make_unique<ThreadPart>(threads));
  const auto collector = HostCollector::create(options, real_file_system(), clock, counting,
                                               registry_, kExtra, std::move(further));
  ASSERT_TRUE(collector);
  (*collector)->start();
  counting.wait_until(2);  // the first tick of both lanes
  EXPECT_FALSE((*collector)->set_interval(99));
  ASSERT_TRUE((*collector)->set_interval(100));
  counting.wait_for_commits(5);
  ASSERT_TRUE((*collector)->set_interval(120'000));
  (*collector)->stop();
  EXPECT_EQ(threads.size(), 1U);
}

}  // namespace
}  // namespace binnacle::collect::host
