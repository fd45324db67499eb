// OpenTelemetry's OTLP/HTTP for metrics, the receiving side: POST /v1/metrics and Prometheus'
// /api/v1/otlp/v1/metrics, protobuf and JSON, gzip or plain. Good points are stored whatever the
// others are: 200, with the count and the reasons of what was refused as partial success. Errors
// are a Status message in the body's encoding: 400, 413, 415 for good, 503 with Retry-After for
// what may come again. Any thread; each body on one thread of the pool. Source: OTLP specification,
// "OTLP/HTTP". Answers: docs/api.md.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "collect/receive/otlp_batch.h"
#include "model/appender.h"
#include "net/router.h"

namespace binnacle::collect::receive {

struct OtlpReceiverOptions {
  size_t max_body_bytes = size_t{32} << 20;  // as sent and decoded
  LabelLimits labels;
  OtlpOptions otlp;
};

class OtlpReceiver {
 public:
  // All outlive the object.
  OtlpReceiver(OtlpReceiverOptions options, model::Appendable& store, const Clock& clock,
               Registry& registry);
  ~OtlpReceiver();

  // The object outlives the router.
  Status register_routes(net::Router& router);

  net::Response handle(const net::Request& request);

  // The size that the routes take stays as it was at the start; all else holds from the next body.
  void set_options(OtlpReceiverOptions options) EXCLUDES(mu_);

 private:
  struct Instruments;
  enum class Encoding : uint8_t { kProtobuf, kJson };

  net::Response answer(const net::Request& request);
  net::Response store(std::string_view body, Encoding encoding, const OtlpReceiverOptions& options);
  std::shared_ptr<const OtlpReceiverOptions> options() const EXCLUDES(mu_);
  static net::Response success(Encoding encoding, const OtlpOutcome& outcome);
  static net::Response failure(Encoding encoding, int status, const Error& error);

  // Fixed after construction.
  model::Appendable& store_;
  const Clock& clock_;
  Registry& registry_;
  const std::unique_ptr<Instruments> instruments_;

  mutable Mutex mu_;
  // Shared with the bodies that are taken in meanwhile.
  std::shared_ptr<const OtlpReceiverOptions> options_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::receive
