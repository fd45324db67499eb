// A store with a tee, a queue and a shipper, that may be killed at any moment. Appends one sample
// of each of its series every few milliseconds and prints "step N" once the commit of step N
// returned; at the line "drain" on standard input it ends appending, waits until the queue is
// empty, prints "drained" and ends. Driven by ship_kill.py.
//
//   ship_writer FOLDER URL FIRST_STEP BASE_MS SERIES
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "collect/ship/shipper.h"
#include "collect/ship/tee_appendable.h"
#include "net/io_threads.h"
#include "store/metrics/metric_store.h"

namespace binnacle::tests {
namespace {

constexpr int64_t kStepMs = 20;

int fail_with(const std::string& what, const Error& error) {
  std::cerr << what << ": " << error.message << "\n";
  return 1;
}

struct Settings {
  std::string folder;
  std::string url;
  int64_t first_step = 0;
  int64_t base_ms = 0;
  int64_t series = 0;
};

// Returns when standard input says so; each series' value is its number + the step.
void append_until_told(model::Appendable& store, const Settings& settings,
                       const std::atomic<bool>& told) {
  std::vector<model::SeriesRef> refs(static_cast<size_t>(settings.series));
  std::vector<model::Labels> labels;
  for (int64_t i = 0; i < settings.series; ++i)
    labels.push_back(model::Labels{{"__name__", "ship_test"}, {"n", std::to_string(i)}});
  for (int64_t step = settings.first_step; !told; ++step) {
    auto appender = store.appender();
    for (size_t i = 0; i < refs.size(); ++i) {
      const model::Sample sample{settings.base_ms + step * kStepMs,
                                 static_cast<double>(step + static_cast<int64_t>(i))};
      refs[i] = appender->append(refs[i], labels[i], sample).value_or(model::kNoSeries);
    }
    if (!appender->commit()) continue;
    std::cout << "step " << step << "\n" << std::flush;
    std::this_thread::sleep_for(std::chrono::milliseconds(kStepMs));
  }
}

int run(const Settings& settings) {
  FileSystem& files = real_file_system();
  const SystemClock clock;
  SystemRandom random;
  Registry registry;
  auto store = store::metrics::MetricStore::open(settings.folder + "/store", {}, files, clock,
                                                 random, registry);
  if (!store) return fail_with("store", store.error());
  collect::ship::QueueOptions queue_options;
  queue_options.name = "peer";
  auto opened =
      collect::ship::SampleQueue::open(settings.folder + "/queue", queue_options, files, registry);
  if (!opened) return fail_with("queue", opened.error());
  const std::shared_ptr<collect::ship::SampleQueue> queue = std::move(*opened);
  collect::ship::TeeAppendable tee(**store, [&store](model::SeriesRef ref, std::string& packed) {
    return (*store)->append_labels(ref, packed);
  });
  tee.set_queues({queue});
  net::IoThreads io(1);
  io.start();
  collect::ship::ShipperOptions options;
  options.name = "peer";
  options.url = settings.url;
  options.batch_send_deadline_ms = 100;
  options.max_backoff_ms = 500;
  auto shipper =
      collect::ship::Shipper::create(options, queue, {io, files, clock, random, registry, nullptr});
  if (!shipper) return fail_with("shipper", shipper.error());
  (*shipper)->start();

  std::atomic<bool> told = false;
  std::thread listener([&told] {
    for (std::string line; std::getline(std::cin, line) && line != "drain";) {
    }
    told = true;
  });
  append_until_told(tee, settings, told);
  listener.join();
  while (queue->pending_samples() > 0 || queue->unread_samples() > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(kStepMs));
  (*shipper)->stop();
  std::cout << registry.write(TextFormat::kPrometheus004) << "drained\n" << std::flush;
  return 0;
}

}  // namespace
}  // namespace binnacle::tests

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: ship_writer FOLDER URL FIRST_STEP BASE_MS SERIES\n";
    return 2;
  }
  return binnacle::tests::run(
      {argv[1], argv[2], std::atoll(argv[3]), std::atoll(argv[4]), std::atoll(argv[5])});
}
