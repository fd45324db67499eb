// Prometheus' remote write, 1.0 and 2.0, the receiving side: POST /api/v1/write. Good samples are
// stored whatever the others are: 204 when all were, 400 with reasons and counts when some were not
// (a sender then goes on), 503 when nothing was acknowledged and the same body should come again.
// Any thread; each body on one thread of the pool. Answers: docs/api.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "base/random.h"
#include "collect/receive/label_fields.h"
#include "collect/receive/series_cache.h"
#include "model/appender.h"
#include "net/router.h"

namespace binnacle::collect::receive {

struct RemoteWriteOptions {
  // Of a body as it is sent and decompressed; 413 beyond. Senders put up to 8 MB (vmagent) into
  // one.
  size_t max_body_bytes = size_t{32} << 20;
  size_t max_cached_series = 2'000'000;
  LabelLimits labels;
};

class RemoteWrite {
 public:
  // All outlive the object.
  RemoteWrite(RemoteWriteOptions options, model::Appendable& store, const Clock& clock,
              Random& random, Registry& registry);
  ~RemoteWrite();

  // The object outlives the router.
  Status register_routes(net::Router& router);

  net::Response handle(const net::Request& request);

  // The size that the route takes stays as it was at the start; all else holds from the next body.
  void set_options(RemoteWriteOptions options) EXCLUDES(mu_);
  const SeriesCache& cache() const { return cache_; }

 private:
  struct Workspace;  // what one body at a time needs
  class Lease;
  struct Instruments;

  net::Response answer(const net::Request& request);
  net::Response store(Workspace& workspace, const RemoteWriteOptions& options);
  void age_cache();
  RemoteWriteOptions options() const EXCLUDES(mu_);

  // Fixed after construction.
  model::Appendable& store_;
  const Clock& clock_;
  Registry& registry_;
  const std::unique_ptr<Instruments> instruments_;

  SeriesCache cache_;                        // locks itself
  std::atomic<int64_t> next_generation_ms_;  // monotonic

  mutable Mutex mu_;
  RemoteWriteOptions options_ GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Workspace>> idle_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::receive
