// Sends what a SampleQueue holds to one receiver by remote write 1.0 (protobuf, snappy), oldest
// first. Network errors, 5xx and 429 are tried again for ever, with back-off and jitter, or after
// the receiver's own Retry-After; any other answer but 2xx drops that request's samples, counted
// and logged with the receiver's words. Works in rounds: a chunk is read, split over shards by
// series, sent, then acknowledged as a whole. One thread of its own and coroutines on `io`. Source:
// the "Prometheus Remote-Write 1.0" specification.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/random.h"
#include "collect/ship/sample_queue.h"
#include "collect/ship/shipper_options.h"
#include "model/sample.h"
#include "net/io_threads.h"

namespace binnacle::collect::ship {

// All outlive the Shipper.
struct ShipperDeps {
  net::IoThreads& io;  // started
  FileSystem& files;   // of credentials and certificates
  const Clock& clock;
  Random& random;  // any thread may use it
  Registry& registry;
  // What is known of metrics, asked every metadata_interval_ms; empty: no metadata is sent.
  std::function<std::vector<std::pair<std::string, model::MetricMetadata>>()> metadata;
};

// For status pages and the agent's hello.
struct ShipperStatus {
  std::string name;
  std::string url;  // without credentials
  uint64_t pending_samples = 0;
  uint64_t queue_bytes = 0;
  int64_t oldest_ms = 0;        // by sample time; 0: nothing waits
  int64_t last_success_ms = 0;  // wall time; 0: never
  std::string last_error;       // empty: the last request arrived
};

class Shipper {
 public:
  // Registers binnacle_ship_*{destination}. kInvalidArgument: the URL, or bounds that contradict
  // each other.
  static Result<std::unique_ptr<Shipper>> create(ShipperOptions options,
                                                 std::shared_ptr<SampleQueue> queue,
                                                 ShipperDeps deps);
  ~Shipper();  // stop()
  Shipper(const Shipper&) = delete;
  Shipper& operator=(const Shipper&) = delete;

  void start();
  // The first half of stop(), which does not wait: for stopping many together.
  void begin_stop();
  // Ends the round in flight within flush_deadline_ms; what did not arrive stays in the queue. Once
  // stopped it stays so. One thread at a time.
  void stop();

  ShipperStatus status() const;

 private:
  struct Impl;
  explicit Shipper(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace binnacle::collect::ship
