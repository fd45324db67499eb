#include "collect/receive/remote_write.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "collect/receive/remote_write_headers.h"
#include "collect/receive/snappy_block.h"
#include "collect/receive/write_batch.h"
#include "collect/receive/write_request.h"

namespace binnacle::collect::receive {
namespace {

using net::Request;
using net::Response;

constexpr int64_t kGenerationMs = 300'000;
constexpr size_t kMaxIdle = 16;                          // workspaces
constexpr size_t kMaxIdleBufferBytes = size_t{4} << 20;  // one that held a giant is let go
constexpr std::string_view kRetryAfterSeconds = "5";

void add_counts(Response& response, size_t samples) {
  response.headers.set("X-Prometheus-Remote-Write-Samples-Written", std::to_string(samples));
  response.headers.set("X-Prometheus-Remote-Write-Histograms-Written", "0");
  response.headers.set("X-Prometheus-Remote-Write-Exemplars-Written", "0");
}

// Senders drop a body on every status but 5xx (429 too, unless told otherwise), so whatever may
// pass is a 503.
Response store_failed(const Error& error) {
  const bool passes = error.code == Code::kUnavailable || error.code == Code::kResourceExhausted;
  Response response = Response::text(passes ? 503 : 500, error.message + "\n");
  if (passes) response.headers.set("Retry-After", kRetryAfterSeconds);
  add_counts(response, 0);
  return response;
}

Response refused(int status, std::string message) {
  Response response = Response::text(status, std::move(message) + "\n");
  add_counts(response, 0);
  return response;
}

int status_of_broken(const Error& error) {
  return error.code == Code::kResourceExhausted ? 413 : 400;
}

}  // namespace

struct RemoteWrite::Workspace {
  explicit Workspace(SeriesCache& cache) : batch(cache) {}
  SnappyBuffer buffer;
  WriteRequest request;
  WriteBatch batch;
};

// Takes an idle workspace or makes one, and puts it back.
class RemoteWrite::Lease {
 public:
  explicit Lease(RemoteWrite& owner) : owner_(owner) {
    MutexLock lock(owner_.mu_);
    if (owner_.idle_.empty()) {
      workspace_ = std::make_unique<Workspace>(owner_.cache_);
    } else {
      workspace_ = std::move(owner_.idle_.back());
      owner_.idle_.pop_back();
    }
  }
  ~Lease() {
    if (workspace_->buffer.capacity() > kMaxIdleBufferBytes) return;
    MutexLock lock(owner_.mu_);
    if (owner_.idle_.size() < kMaxIdle) owner_.idle_.push_back(std::move(workspace_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Workspace& operator*() const { return *workspace_; }
  Workspace* operator->() const { return workspace_.get(); }

 private:
  RemoteWrite& owner_;
  std::unique_ptr<Workspace> workspace_;
};

struct RemoteWrite::Instruments {
  explicit Instruments(Registry& registry)
      : samples(registry.counter("binnacle_remote_write_samples_total",
                                 "Samples that came by remote write and were stored.")),
        bytes(registry.counter("binnacle_remote_write_bytes_total",
                               "Bytes of remote-write bodies as they were sent.")),
        known(registry.counter("binnacle_remote_write_cached_series_total",
                               "Series of remote-write bodies whose labels were known.")),
        unknown(registry.counter("binnacle_remote_write_parsed_series_total",
                                 "Series of remote-write bodies whose labels had to be read.")),
        cached(registry.gauge("binnacle_remote_write_cache_series",
                              "Series that the cache of remote write knows.")),
        seconds(registry.histogram("binnacle_remote_write_duration_seconds",
                                   "Time to take a remote-write body in.", latency_bounds())),
        exemplars(refusals(registry, "exemplar")) {
    for (size_t i = 0; i < kRefusedReasons; ++i)
      by_reason.push_back(&refusals(registry, reason_name(static_cast<Refused>(i))));
  }

  static Counter& refusals(Registry& registry, std::string_view reason) {
    return registry.counter("binnacle_remote_write_refused_total",
                            "Samples that came by remote write and were not stored, by reason.",
                            {{"reason", std::string(reason)}});
  }

  void count(const WriteOutcome& outcome) {
    samples.add(static_cast<double>(outcome.stored));
    known.add(static_cast<double>(outcome.known_series));
    unknown.add(static_cast<double>(outcome.new_series));
    exemplars.add(static_cast<double>(outcome.exemplars));
    for (size_t i = 0; i < kRefusedReasons; ++i)
      by_reason[i]->add(static_cast<double>(outcome.report.refused(static_cast<Refused>(i))));
  }

  Counter& samples;
  Counter& bytes;
  Counter& known;
  Counter& unknown;
  Gauge& cached;
  Histogram& seconds;
  Counter& exemplars;
  std::vector<Counter*> by_reason;
};

RemoteWrite::RemoteWrite(RemoteWriteOptions options, model::Appendable& store, const Clock& clock,
                         Random& random, Registry& registry)
    : store_(store),
      clock_(clock),
      registry_(registry),
      instruments_(std::make_unique<Instruments>(registry)),
      cache_(options.max_cached_series, random),
      next_generation_ms_(clock.monotonic_ms() + kGenerationMs),
      options_(options) {}

RemoteWrite::~RemoteWrite() = default;

Status RemoteWrite::register_routes(net::Router& router) {
  net::Route route;
  route.method = net::Method::kPost;
  route.pattern = "/api/v1/write";
  route.group = net::RouteGroup::kIngest;
  route.role = Role::kIngest;
  route.takes_coded_body = true;
  route.limits.max_body_bytes = options().max_body_bytes;
  route.handler = [this](const Request& request) { return handle(request); };
  return router.add(std::move(route));
}

void RemoteWrite::set_options(RemoteWriteOptions options) {
  cache_.set_max_series(options.max_cached_series);
  MutexLock lock(mu_);
  options_ = options;
}

RemoteWriteOptions RemoteWrite::options() const {
  MutexLock lock(mu_);
  return options_;
}

Response RemoteWrite::handle(const Request& request) {
  const int64_t began_ns = clock_.monotonic_ns();
  age_cache();
  Response response = answer(request);
  instruments_->bytes.add(static_cast<double>(request.body.size()));
  instruments_->cached.set(static_cast<double>(cache_.size()));
  instruments_->seconds.observe(static_cast<double>(clock_.monotonic_ns() - began_ns) / 1e9);
  registry_
      .counter("binnacle_remote_write_requests_total",
               "Remote-write bodies, by the answer's status.",
               {{"code", std::to_string(response.status)}})
      .add();
  return response;
}

Response RemoteWrite::answer(const Request& request) {
  const auto version = check_remote_write_headers(request);
  if (!version) return refused(415, version.error().message);
  const RemoteWriteOptions now = options();
  const Lease workspace(*this);
  const auto body = workspace->buffer.decompress(request.body, now.max_body_bytes);
  if (!body) return refused(status_of_broken(body.error()), body.error().message);
  WriteRequest& decoded = workspace->request;
  const Status whole = *version == RemoteWriteVersion::k1
                           ? decoded.decode_by_guess(*body)
                           : decoded.decode_v2(*body, now.max_body_bytes);
  if (!whole) return refused(status_of_broken(whole.error()), whole.error().message);
  return store(*workspace, now);
}

Response RemoteWrite::store(Workspace& workspace, const RemoteWriteOptions& options) {
  const auto outcome = workspace.batch.store(workspace.request, options.labels, store_);
  if (!outcome) {
    if (outcome.error().code == Code::kInvalidArgument)
      return refused(400, outcome.error().message);
    return store_failed(outcome.error());
  }
  instruments_->count(*outcome);
  const bool all = outcome->report.refused() == 0;
  Response response;
  if (all) {
    response.status = 204;
  } else {
    response = Response::text(400, outcome->report.text(outcome->stored));
  }
  add_counts(response, outcome->stored);
  return response;
}

void RemoteWrite::age_cache() {
  const int64_t now_ms = clock_.monotonic_ms();
  int64_t due_ms = next_generation_ms_.load(std::memory_order_relaxed);
  if (now_ms < due_ms) return;
  if (next_generation_ms_.compare_exchange_strong(due_ms, now_ms + kGenerationMs)) cache_.age();
}

}  // namespace binnacle::collect::receive
