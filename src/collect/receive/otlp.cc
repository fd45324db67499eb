#include "collect/receive/otlp.h"

#include <fmt/format.h>

#include <protozero/pbf_writer.hpp>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "net/coding.h"

namespace binnacle::collect::receive {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view kRetryAfterSeconds = "5";
constexpr size_t kDecodedPerBodyByte = 4;

std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

// google.rpc.Code, which gRPC numbers likewise.
int rpc_code(int http_status) {
  switch (http_status) {
    case 400:
    case 415:
      return 3;  // INVALID_ARGUMENT
    case 413:
      return 8;  // RESOURCE_EXHAUSTED
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 13;  // INTERNAL
  }
}

bool passes(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kResourceExhausted;
}

}  // namespace

struct OtlpReceiver::Instruments {
  explicit Instruments(Registry& registry)
      : points(registry.counter("binnacle_otlp_data_points_total",
                                "Data points that came by OTLP and were stored.")),
        samples(registry.counter("binnacle_otlp_samples_total",
                                 "Samples that were stored of OTLP's data points.")),
        bytes(registry.counter("binnacle_otlp_bytes_total",
                               "Bytes of OTLP bodies as they were sent.")),
        seconds(registry.histogram("binnacle_otlp_duration_seconds",
                                   "Time to take an OTLP body in.", latency_bounds())) {
    for (size_t i = 0; i < kOtlpRefusedReasons; ++i) {
      refused.push_back(&registry.counter(
          "binnacle_otlp_refused_total",
          "Data points that came by OTLP and were not stored, by reason.",
          {{"reason", std::string(otlp_reason_name(static_cast<OtlpRefused>(i)))}}));
    }
  }

  void count(const OtlpOutcome& outcome) {
    points.add(static_cast<double>(outcome.points - outcome.refused_points()));
    samples.add(static_cast<double>(outcome.samples));
    for (size_t i = 0; i < kOtlpRefusedReasons; ++i)
      refused[i]->add(static_cast<double>(outcome.refused[i]));
  }

  Counter& points;
  Counter& samples;
  Counter& bytes;
  Histogram& seconds;
  std::vector<Counter*> refused;
};

OtlpReceiver::OtlpReceiver(OtlpReceiverOptions options, model::Appendable& store,
                           const Clock& clock, Registry& registry)
    : store_(store),
      clock_(clock),
      registry_(registry),
      instruments_(std::make_unique<Instruments>(registry)),
      options_(std::make_shared<const OtlpReceiverOptions>(std::move(options))) {}

OtlpReceiver::~OtlpReceiver() = default;

Status OtlpReceiver::register_routes(net::Router& router) {
  for (const std::string_view pattern : {"/v1/metrics", "/api/v1/otlp/v1/metrics"}) {
    net::Route route;
    route.method = net::Method::kPost;
    route.pattern = pattern;
    route.group = net::RouteGroup::kIngest;
    route.role = Role::kIngest;
    // Decoded here, so that a broken body is answered in the protocol's own shape.
    route.takes_coded_body = true;
    route.limits.max_body_bytes = options()->max_body_bytes;
    route.handler = [this](const Request& request) { return handle(request); };
    TRY(router.add(std::move(route)));
  }
  return {};
}

void OtlpReceiver::set_options(OtlpReceiverOptions options) {
  auto next = std::make_shared<const OtlpReceiverOptions>(std::move(options));
  MutexLock lock(mu_);
  options_ = std::move(next);
}

std::shared_ptr<const OtlpReceiverOptions> OtlpReceiver::options() const {
  MutexLock lock(mu_);
  return options_;
}

Response OtlpReceiver::handle(const Request& request) {
  const int64_t began_ns = clock_.monotonic_ns();
  Response response = answer(request);
  instruments_->bytes.add(static_cast<double>(request.body.size()));
  instruments_->seconds.observe(static_cast<double>(clock_.monotonic_ns() - began_ns) / 1e9);
  registry_
      .counter("binnacle_otlp_requests_total", "OTLP bodies, by the answer's status.",
               {{"code", std::to_string(response.status)}})
      .add();
  return response;
}

Response OtlpReceiver::answer(const Request& request) {
  const std::string_view type = media_type(request.header("Content-Type"));
  const bool json = net::equal_ignoring_case(type, "application/json");
  const Encoding encoding = json ? Encoding::kJson : Encoding::kProtobuf;
  if (!json && !net::equal_ignoring_case(type, "application/x-protobuf")) {
    return failure(encoding, 415,
                   {Code::kInvalidArgument,
                    fmt::format("Content-Type: send application/x-protobuf or application/json "
                                "(\"{:.64}\")",
                                type)});
  }
  const auto coding = net::coding_from_name(request.header("Content-Encoding"));
  if (!coding) {
    return failure(encoding, 415,
                   {Code::kInvalidArgument,
                    fmt::format("Content-Encoding: send gzip, zstd or none (\"{:.64}\")",
                                request.header("Content-Encoding"))});
  }
  const auto now = options();
  if (*coding == net::Coding::kIdentity) return store(request.body, encoding, *now);
  const auto body = net::decode(*coding, request.body, now->max_body_bytes);
  if (!body) {
    const bool too_large = body.error().code == Code::kResourceExhausted;
    Error error = body.error();
    if (too_large) error.message += " (collect.receive.max_body_bytes)";
    return failure(encoding, too_large ? 413 : 400, error);
  }
  return store(*body, encoding, *now);
}

Response OtlpReceiver::store(std::string_view body, Encoding encoding,
                             const OtlpReceiverOptions& options) {
  OtlpMetrics metrics(kDecodedPerBodyByte * options.max_body_bytes);
  const Status decoded = encoding == Encoding::kJson ? decode_otlp_json(body, metrics)
                                                     : decode_otlp_protobuf(body, metrics);
  if (!decoded) {
    return failure(encoding, decoded.error().code == Code::kResourceExhausted ? 413 : 400,
                   decoded.error());
  }
  const auto outcome = OtlpBatch(metrics, options.otlp, options.labels, store_).store();
  if (!outcome) return failure(encoding, passes(outcome.error()) ? 503 : 500, outcome.error());
  instruments_->count(*outcome);
  return success(encoding, *outcome);
}

// ExportMetricsServiceResponse; empty when all is stored.
Response OtlpReceiver::success(Encoding encoding, const OtlpOutcome& outcome) {
  const size_t refused = outcome.refused_points();
  const std::string message = outcome.message();
  if (encoding == Encoding::kJson) {
    if (refused == 0) return Response::json(200, "{}");
    std::string body =
        fmt::format(R"({{"partialSuccess":{{"rejectedDataPoints":"{}","errorMessage":)", refused);
    append_json_string(body, message);
    return Response::json(200, body + "}}");
  }
  Response response;
  response.headers.set("Content-Type", "application/x-protobuf");
  if (refused == 0) return response;
  std::string partial;
  protozero::pbf_writer fields(partial);
  fields.add_int64(1, static_cast<int64_t>(refused));
  fields.add_string(2, message);
  protozero::pbf_writer(response.body).add_message(1, partial);
  return response;
}

// google.rpc.Status.
Response OtlpReceiver::failure(Encoding encoding, int status, const Error& error) {
  Response response;
  if (encoding == Encoding::kJson) {
    std::string body = fmt::format(R"({{"code":{},"message":)", rpc_code(status));
    append_json_string(body, error.message);
    response = Response::json(status, body + "}");
  } else {
    response.status = status;
    response.headers.set("Content-Type", "application/x-protobuf");
    protozero::pbf_writer fields(response.body);
    fields.add_int32(1, rpc_code(status));
    fields.add_string(2, error.message);
  }
  if (status == 503) response.headers.set("Retry-After", kRetryAfterSeconds);
  return response;
}

}  // namespace binnacle::collect::receive
