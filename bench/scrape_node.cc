// Scraping and the metric store put together and nothing else, for bench/collect.sh: scrape_node
// DATA_FOLDER ADDRESS TARGETS INTERVAL_MS scrapes http://ADDRESS/metrics/0 .. TARGETS - 1 until its
// standard input ends, then prints how many samples it stored.
#include <cstdio>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "collect/scrape/scrape_manager.h"
#include "net/io_threads.h"
#include "store/metrics/metric_store.h"

namespace {

using namespace binnacle;  // NOLINT(google-build-using-namespace): a program of one file

std::vector<model::TargetGroup> targets(const std::string& address, size_t count) {
  model::TargetGroup group{"bench", {}, {}};
  for (size_t i = 0; i < count; ++i) {
    group.targets.push_back(model::Labels{{"__address__", address},
                                          {"__metrics_path__", "/metrics/" + std::to_string(i)},
                                          {"instance", std::to_string(i)}});
  }
  return {group};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  SystemClock clock;
  SystemRandom random;
  Registry registry;
  FileSystem& files = real_file_system();
  auto store = store::metrics::MetricStore::open(argv[1], {}, files, clock, random, registry);
  CHECK(store);
  (*store)->start();
  net::IoThreads io(1);
  io.start();
  collect::scrape::ScrapeManager scraping({}, **store, io, clock, registry,
                                          collect::scrape::http_fetchers(files, clock), nullptr);
  collect::scrape::JobConfig job;
  job.job_name = "bench";
  job.interval_ms = job.timeout_ms = std::stol(argv[4]);
  scraping.apply({job});
  scraping.set_targets("bench", targets(argv[2], std::stoul(argv[3])));
  scraping.start();
  while (std::getchar() != EOF) {
  }
  scraping.stop();
  io.stop();
  std::string failures;
  for (const auto& target : scraping.active()) failures += target.last_error;
  std::printf("stored %.0f %s\n",
              registry.counter("binnacle_scrape_samples_total", "Samples that pages held.").value(),
              failures.c_str());
  (*store)->stop();
}
