#include "show/remote_read.h"

#include <snappy.h>

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "collect/receive/snappy_block.h"
#include "show/api_params.h"
#include "show/api_routes.h"
#include "show/read_request.h"
#include "show/xor_chunk.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;
using query::promql::QueryLimits;
using query::promql::QueryMeter;
using ExternalLabels = ConfigMap;

constexpr size_t kMaxRequestBytes = size_t{32} << 20;
constexpr size_t kFrameBytes = size_t{1} << 20;
constexpr size_t kPieceBytes = 256 * 1024;
constexpr std::string_view kSamplesType = "application/x-protobuf";
constexpr std::string_view kStreamType =
    "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

// The series of one request, query by query. What they are charged for is bounded by the limits of
// queries.
class Reading {
 public:
  Reading(const PrometheusApiDeps& deps, ReadRequest request, const QueryLimits& limits)
      : deps_(deps),
        request_(std::move(request)),
        external_(deps.external_labels()),
        meter_(limits, deps.clock, nullptr) {}

  size_t queries() const { return request_.queries.size(); }
  const ExternalLabels& external_labels() const { return external_; }
  QueryMeter& meter() { return meter_; }

  Status begin(size_t query) {
    const ReadQuery& asked = request_.queries[query];
    set_ = nullptr;
    querier_ = nullptr;
    if (asked.start_ms > asked.end_ms) return {};
    TRY_ASSIGN(querier_, deps_.store.querier(asked.start_ms, asked.end_ms));
    querier_->charge_to(meter_);
    model::SelectHints hints;
    hints.start_ms = asked.start_ms;
    hints.end_ms = asked.end_ms;
    TRY_ASSIGN(set_, querier_->select(without_external(asked.matchers), hints));
    return {};
  }
  // False at the end of the query. Series without samples are left out.
  Result<bool> next(model::SeriesColumns& series) {
    if (set_ == nullptr) return false;
    while (set_->next(series)) {
      if (series.values.empty()) continue;
      TRY(meter_.charge_series(1));
      TRY(meter_.charge_samples(series.values.size()));
      return true;
    }
    TRY(set_->status());
    return false;
  }

 private:
  // Each series is answered with the external labels, so one that is asked for by them fits.
  model::Matchers without_external(const model::Matchers& matchers) const {
    model::Matchers out;
    std::ranges::copy_if(matchers, std::back_inserter(out), [&](const model::Matcher& m) {
      const auto found = external_.find(m.name());
      return found == external_.end() || m.op() != model::MatchOp::kEqual ||
             m.value() != found->second;
    });
    return out;
  }

  const PrometheusApiDeps& deps_;
  const ReadRequest request_;
  const ExternalLabels external_;
  QueryMeter meter_;
  std::unique_ptr<model::Querier> querier_;
  std::unique_ptr<model::SeriesSet> set_;
};

// Field 1, as TimeSeries and ChunkedSeries have it; sorted by name.
void write_labels(protozero::pbf_writer& to, model::LabelsView labels,
                  const ExternalLabels& external) {
  model::LabelsBuilder builder(labels);
  for (const auto& [name, value] : external) {
    if (labels.get(name).empty()) builder.set(name, value);
  }
  const model::Labels all = external.empty() ? model::Labels(labels) : builder.build();
  for (const model::Label& label : all) {
    protozero::pbf_writer one(to, 1);
    one.add_string(1, label.name.data(), label.name.size());
    one.add_string(2, label.value.data(), label.value.size());
  }
}

// prometheus.QueryResult.
Status append_result(std::string& out, Reading& reading) {
  protozero::pbf_writer result(out);
  for (model::SeriesColumns series;;) {
    TRY_ASSIGN(const bool more, reading.next(series));
    if (!more) return {};
    const size_t before = out.size();
    {
      protozero::pbf_writer one(result, 1);
      write_labels(one, series.labels, reading.external_labels());
      for (size_t i = 0; i < series.values.size(); ++i) {
        protozero::pbf_writer sample(one, 2);
        sample.add_double(1, series.values[i]);
        sample.add_int64(2, series.timestamps_ms[i]);
      }
    }
    TRY(reading.meter().charge_bytes(out.size() - before));
  }
}

// prometheus.ReadResponse, bounded by query.max_bytes: one result for each query, empty ones too.
Result<std::string> all_samples(Reading& reading) {
  std::string out;
  for (size_t i = 0; i < reading.queries(); ++i) {
    TRY(reading.begin(i));
    std::string result;
    TRY(append_result(result, reading));
    protozero::pbf_writer(out).add_message(1, result);
  }
  return out;
}

// prometheus.ChunkedReadResponse messages, each after its length and checksum.
class ChunkStream {
 public:
  ChunkStream(const PrometheusApiDeps& deps, ReadRequest request, const QueryLimits& limits)
      : reading_(deps, std::move(request), limits) {}

  Result<bool> next(std::string& piece) {
    piece.clear();
    while (piece.size() < kPieceBytes) {
      if (!open_) {
        if (query_ == reading_.queries()) break;
        TRY(reading_.begin(query_));
        open_ = true;
      }
      model::SeriesColumns series;
      TRY_ASSIGN(const bool more, reading_.next(series));
      if (more) {
        append_series(piece, series);
      } else {
        open_ = false;
        ++query_;
      }
    }
    return !piece.empty();
  }
  uint64_t samples() { return reading_.meter().samples(); }

 private:
  // At most one series a frame; one of many chunks takes several.
  void append_series(std::string& out, const model::SeriesColumns& series) {
    std::string labels;
    protozero::pbf_writer labels_writer(labels);
    write_labels(labels_writer, series.labels, reading_.external_labels());
    std::string chunks;
    for (size_t at = 0; at < series.values.size(); at += kXorChunkSamples) {
      const size_t count = std::min(kXorChunkSamples, series.values.size() - at);
      append_chunk(chunks, series.timestamps_ms.subspan(at, count),
                   series.values.subspan(at, count));
      const bool last = at + count == series.values.size();
      if (last || labels.size() + chunks.size() >= kFrameBytes) {
        append_frame(out, labels + chunks);
        chunks.clear();
      }
    }
  }

  static void append_chunk(std::string& out, std::span<const int64_t> times_ms,
                           std::span<const double> values) {
    constexpr int32_t kXorEncoding = 1;
    protozero::pbf_writer series(out);
    protozero::pbf_writer chunk(series, 2);
    chunk.add_int64(1, times_ms.front());
    chunk.add_int64(2, times_ms.back());
    chunk.add_enum(3, kXorEncoding);
    chunk.add_bytes(4, xor_chunk(times_ms, values));
  }

  void append_frame(std::string& out, const std::string& series) const {
    std::string message;
    protozero::pbf_writer writer(message);
    writer.add_message(1, series);
    if (query_ != 0) writer.add_int64(2, static_cast<int64_t>(query_));
    uint64_t size = message.size();
    for (; size >= 0x80; size >>= 7) out.push_back(static_cast<char>((size & 0x7F) | 0x80));
    out.push_back(static_cast<char>(size));
    const uint32_t crc = crc32c(message);
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(crc >> shift));
    out += message;
  }

  Reading reading_;
  size_t query_ = 0;
  bool open_ = false;  // query_ has begun
};

Response plain_error(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return Response::text(503, error.message + "\n");
    case Code::kInvalidArgument:
    case Code::kResourceExhausted:
      return Response::text(400, error.message + "\n");
    default:
      return Response::text(500, error.message + "\n");
  }
}

Response protobuf(std::string_view type, std::string body) {
  Response response;
  response.headers.set("Content-Type", type);
  response.body = std::move(body);
  return response;
}

Response answer_samples(const PrometheusApiDeps& deps, ReadRequest asked, uint64_t& samples) {
  Reading reading(deps, std::move(asked), deps.limits());
  const auto message = all_samples(reading);
  samples = reading.meter().samples();
  if (!message) return plain_error(message.error());
  std::string coded;
  snappy::Compress(message->data(), message->size(), &coded);
  Response response = protobuf(kSamplesType, std::move(coded));
  response.headers.set("Content-Encoding", "snappy");
  return response;
}

Response answer_stream(const std::shared_ptr<const PrometheusApiDeps>& deps, ReadRequest asked,
                       uint64_t& samples) {
  QueryLimits limits = deps->limits();
  limits.timeout_ms = 0;  // how long it takes is up to the reader
  // Shared, as a std::function must be copyable.
  const auto stream = std::make_shared<ChunkStream>(*deps, std::move(asked), limits);
  std::string first;
  const auto begun = stream->next(first);
  samples = stream->samples();
  if (!begun) return plain_error(begun.error());
  Response response = protobuf(kStreamType, std::move(first));
  if (*begun) {
    response.next_piece = [deps, stream](std::string& piece) { return stream->next(piece); };
  }
  return response;
}

Response read(const std::shared_ptr<const PrometheusApiDeps>& deps, const Request& request) {
  collect::receive::SnappyBuffer buffer;
  const auto body = buffer.decompress(request.body, kMaxRequestBytes);
  if (!body) {
    const int status = body.error().code == Code::kResourceExhausted ? 413 : 400;
    return Response::text(status, body.error().message + "\n");
  }
  auto asked = ReadRequest::decode(*body);
  if (!asked) return plain_error(asked.error());
  const int64_t begin_ns = deps->clock.monotonic_ns();
  uint64_t samples = 0;
  const bool streamed = asked->streamed;
  Response response = streamed ? answer_stream(deps, *std::move(asked), samples)
                               : answer_samples(*deps, *std::move(asked), samples);
  deps->log.finished({.kind = "remote_read",
                      .text = {},
                      .caller = caller_of(request),
                      .seconds = static_cast<double>(deps->clock.monotonic_ns() - begin_ns) / 1e9,
                      .samples = samples});
  return response;
}

}  // namespace

Status register_remote_read(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  net::Route route;
  route.method = net::Method::kPost;
  route.pattern = "/api/v1/read";
  route.role = Role::kViewer;
  route.queue = deps->queue;
  route.limits.max_body_bytes = kMaxRequestBytes;
  route.limits.timeout = std::chrono::minutes(60);
  route.takes_coded_body = true;
  route.handler = [deps](const Request& request) { return read(deps, request); };
  return router.add(std::move(route));
}

}  // namespace binnacle::show
