#include "collect/mesh/mesh_prober.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>

#include "base/mutex.h"
#include "net/probe_listener.h"

namespace binnacle::collect::mesh {
namespace {

// Remembers which series there are.
class SeriesStore final : public model::Appendable {
 public:
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Batch>(series); }
  std::set<std::string> series;

 private:
  class Batch final : public model::Appender {
   public:
    explicit Batch(std::set<std::string>& series) : series_(series) {}
    Result<model::SeriesRef> append(model::SeriesRef, model::LabelsView labels,
                                    model::Sample sample) override {
      EXPECT_GT(sample.timestamp_ms, 0);
      series_.insert(labels.to_string());
      return model::SeriesRef{1};
    }
    Result<model::CommitReport> commit() override { return model::CommitReport{}; }
    void rollback() override {}

   private:
    std::set<std::string>& series_;
  };
};

TEST(MeshProber, MeasuresTheServerAndAPeerForReal) {
  net::IoThreads io(1);
  SystemClock clock;
  Registry registry;
  auto server = net::ProbeListener::open(io.context(0), "127.0.0.1:0");
  ASSERT_TRUE(server);
  MeshProber prober(
      MeshPlanner({.interval_ms = 100, .probes = 2}, "me", {"server", (*server)->address()}), io,
      clock, registry, model::Labels{{"node", "n1"}});
  prober.set_peers({{"gone", "n2", "127.0.0.1:1"}, {"me", "n1", "127.0.0.1:1"}});
  io.start();
  prober.start();
  SeriesStore store;
  const Counter& lost = registry.counter("binnacle_mesh_probes_lost_total",
                                         "Of these, those that failed or took too long.");
  Mutex mu;
  CondVar never;
  // loss of both, round trip and jitter of the one that answers
  for (int i = 0; i < 200 && store.series.size() < 4; ++i) {
    const MutexLock lock(mu);
    never.wait_for_ms(mu, 50);
    const auto refused = prober.collect_once(store);
    ASSERT_TRUE(refused) << refused.error().message;
    EXPECT_EQ(*refused, 0U);
  }
  EXPECT_EQ(store.series, (std::set<std::string>{
                              R"(binnacle_mesh_jitter_seconds{node="n1", peer="server"})",
                              R"(binnacle_mesh_loss_ratio{node="n1", peer="n2"})",
                              R"(binnacle_mesh_loss_ratio{node="n1", peer="server"})",
                              R"(binnacle_mesh_round_trip_seconds{node="n1", peer="server"})"}));
  EXPECT_GT(lost.value(), 0);
  prober.stop();
  io.stop();
}

}  // namespace
}  // namespace binnacle::collect::mesh
