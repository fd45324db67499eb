#include "show/tsdb_api.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json_text.h"
#include "query/promql/parser.h"
#include "show/prometheus_json.h"
#include "show/time_params.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;
using store::metrics::MetricStore;
using store::metrics::StoreCardinality;

constexpr size_t kDefaultTop = 10;
constexpr size_t kMostTop = 10'000;
Result<size_t> top_param(const net::Params& params) {
  const auto text = params.get("limit");
  size_t top = kDefaultTop;
  if (text.empty()) return top;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), top);
  if (error != std::errc() || end != text.data() + text.size() || top == 0 || top > kMostTop) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("invalid parameter \"limit\": want 1 to {} (\"{:.64}\")", kMostTop, text));
  }
  return top;
}

void append_list(std::string& out, std::string_view name,
                 const std::vector<StoreCardinality>& list) {
  out += fmt::format(",\"{}\":[", name);
  for (const StoreCardinality& one : list) {
    if (out.back() == '}') out.push_back(',');
    out += "{\"name\":";
    append_json_string(out, one.name);
    out += fmt::format(",\"value\":{}}}", one.count);
  }
  out.push_back(']');
}

Result<Response> status(MetricStore& store, const TsdbApiDeps&, const Request& request) {
  TRY_ASSIGN(const size_t top, top_param(request.params()));
  const auto status = store.status();
  const auto counts = store.cardinalities(top);
  std::string out = fmt::format(
      R"({{"headStats":{{"numSeries":{},"numLabelPairs":{},"chunkCount":{},"minTime":{},"maxTime":{}}})",
      status.series, counts.label_pairs, status.chunks, status.oldest_ms, status.newest_ms);
  append_list(out, "seriesCountByMetricName", counts.series_by_metric);
  append_list(out, "labelValueCountByLabelName", counts.values_by_label);
  append_list(out, "memoryInBytesByLabelName", counts.bytes_by_label);
  append_list(out, "seriesCountByLabelValuePair", counts.series_by_pair);
  out += fmt::format(
      R"(,"binnacle":{{"headBytes":{},"walBytes":{},"blocks":{},"blockBytes":{},"replayedSamples":{},"replaySeconds":{:.3f}}}}})",
      status.head_bytes, status.wal_bytes, status.blocks, status.block_bytes,
      status.replayed_samples, status.replay_seconds);
  return success(out);
}

Result<Response> blocks(MetricStore& store, const TsdbApiDeps&, const Request&) {
  std::string out = R"({"blocks":[)";
  for (const store::metrics::BlockMeta& block : store.blocks()) {
    if (out.back() == '}') out.push_back(',');
    out += fmt::format(R"({{"ulid":"{}","minTime":{},"maxTime":{},"stats":{{"numSamples":{})",
                       block.ulid, block.min_ms, block.max_ms, block.samples);
    out += fmt::format(R"(,"numFloatSamples":{},"numSeries":{},"numChunks":{}}})", block.samples,
                       block.series, block.series);
    out += fmt::format(R"(,"compaction":{{"level":{},"sources":)", block.level);
    append_strings(out, block.sources);
    out += fmt::format(R"(}},"version":{}}})", block.format);
  }
  return success(out + "]}");
}

Result<Response> delete_series(MetricStore& store, const TsdbApiDeps&, const Request& request) {
  const net::Params params = request.params();
  TRY_ASSIGN(const int64_t start_ms, time_param(params, "start", kBeginningMs));
  TRY_ASSIGN(const int64_t end_ms, time_param(params, "end", kEndMs));
  if (end_ms < start_ms)
    return fail(Code::kInvalidArgument, "invalid parameter \"end\": it is before start");
  TRY_ASSIGN(const auto selectors, query::promql::parse_selectors(params.all("match[]")));
  if (selectors.empty()) return fail(Code::kInvalidArgument, "no match[] parameter provided");
  for (const auto& matchers : selectors) TRY(store.delete_series(matchers, start_ms, end_ms));
  return Response::text(204, "");
}

Result<Response> clean_tombstones(MetricStore& store, const TsdbApiDeps&, const Request&) {
  TRY(store.clean_tombstones());
  return Response::text(204, "");
}

Result<Response> backup(MetricStore& store, const TsdbApiDeps& deps, const Request&) {
  const std::string name = std::to_string(deps.clock.wall_ms());
  TRY(store.backup(deps.backup_folder + "/" + name));
  return success(fmt::format(R"({{"name":"{}"}})", name));
}

// Everything that is older than now goes into blocks, which are then merged.
Result<Response> flush(MetricStore& store, const TsdbApiDeps&, const Request&) {
  TRY(store.flush(kEndMs));
  return Response::text(204, "");
}

using Call = Result<Response> (*)(MetricStore&, const TsdbApiDeps&, const Request&);

}  // namespace

Status register_tsdb_api(net::Router& router, TsdbApiDeps deps) {
  const auto shared = std::make_shared<const TsdbApiDeps>(std::move(deps));  // by every handler
  const auto add = [&](net::Method method, std::string pattern, Role role, Call call) -> Status {
    net::Route route;
    route.method = method;
    route.pattern = std::move(pattern);
    route.role = role;
    route.limits.timeout = std::chrono::minutes(10);  // a flush of everything takes its time
    route.handler = [shared, call](const Request& request) {
      const auto store = shared->store();
      if (store == nullptr)
        return failure({Code::kUnavailable, "the metric store is being loaded"});
      auto answer = call(*store, *shared, request);
      return answer ? std::move(*answer) : failure(answer.error());
    };
    return router.add(std::move(route));
  };
  using net::Method;
  TRY(add(Method::kGet, "/api/v1/status/tsdb", Role::kViewer, status));
  TRY(add(Method::kGet, "/api/v1/status/tsdb/blocks", Role::kViewer, blocks));
  for (const Method method : {Method::kPost, Method::kPut}) {
    TRY(add(method, "/api/v1/admin/tsdb/delete_series", Role::kAdmin, delete_series));
    TRY(add(method, "/api/v1/admin/tsdb/clean_tombstones", Role::kAdmin, clean_tombstones));
    TRY(add(method, "/api/v1/admin/tsdb/snapshot", Role::kAdmin, backup));
  }
  return add(Method::kPost, "/api/binnacle/v1/store/flush", Role::kAdmin, flush);
}

}  // namespace binnacle::show
