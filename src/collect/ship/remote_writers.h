// All destinations of the server's own remote write: a queue and a Shipper each, fed by a
// TeeAppendable. A reload leaves those alone that are as they were. A queue belongs to the name of
// its destination: what it holds outlives reloads and restarts, also under another URL. The folder
// of a destination that is not there any more stays, so that it can come back. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "collect/ship/sample_queue.h"
#include "collect/ship/shipper.h"
#include "collect/ship/shipper_options.h"
#include "collect/ship/tee_appendable.h"

namespace binnacle::collect::ship {

struct RemoteWriteConfig {
  ShipperOptions shipper;
  uint64_t queue_max_bytes = uint64_t{512} << 20;  // from the next start on where it changes
};

class RemoteWriters {
 public:
  // Queues lie below `folder`. `tee` and all of `deps` outlive it.
  RemoteWriters(std::string folder, TeeAppendable& tee, ShipperDeps deps);
  ~RemoteWriters();  // stop()

  // These destinations from now on. Waits for requests in flight to those that changed or are gone,
  // for all of them together. An error (two of one name, options that contradict each other, a
  // queue that cannot be opened) leaves everything as it was.
  Status apply(const std::vector<RemoteWriteConfig>& configs) EXCLUDES(applying_, mu_);
  // Samples still reach the queues, but go no further.
  void stop() EXCLUDES(applying_, mu_);

  std::vector<ShipperStatus> status() const EXCLUDES(mu_);

 private:
  struct Destination {
    ShipperOptions options;
    std::shared_ptr<SampleQueue> queue;  // shared with batches of the tee that are under way
    std::shared_ptr<Shipper> shipper;    // shared with the list that a reload makes of it
  };
  using Destinations = std::vector<Destination>;
  Result<Destinations> prepare(const std::vector<RemoteWriteConfig>& configs) const
      REQUIRES(applying_);
  Result<Destination> prepare(const RemoteWriteConfig& config) const REQUIRES(applying_);
  void stop_all(const Destinations& old) REQUIRES(applying_);
  Destinations current() const EXCLUDES(mu_);

  // Fixed after construction.
  const std::string folder_;
  TeeAppendable& tee_;
  const ShipperDeps deps_;
  const Log log_{"ship"};

  Mutex applying_;  // one change at a time; taken before mu_
  bool stopped_ GUARDED_BY(applying_) = false;
  mutable Mutex mu_;
  Destinations destinations_ GUARDED_BY(mu_);
};

// A destination's name as the name of a folder: what is no letter, digit, '.', '-' or '_' becomes
// '_', and a checksum of the name follows where that changed something.
std::string queue_folder_name(const std::string& destination);

}  // namespace binnacle::collect::ship
