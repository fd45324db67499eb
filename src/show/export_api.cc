#include "show/export_api.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <unordered_set>

#include "base/float_text.h"
#include "model/sample.h"
#include "query/promql/parser.h"
#include "show/prometheus_json.h"
#include "show/time_params.h"

namespace binnacle::show {
namespace {

using net::Params;
using net::Request;
using net::Response;

// JSON has no NaN; a stale marker is no value at all.
void append_value(std::string& out, double value) {
  if (std::isfinite(value)) {
    append_float_json(out, value);
  } else if (model::is_stale(value)) {
    out += "null";
  } else {
    out.push_back('"');
    append_float_json(out, value);
    out.push_back('"');
  }
}

class Export {
 public:
  Export(const ExportApiDeps& deps, model::Querier& querier)
      : deps_(deps), limits_(deps.limits()), querier_(querier) {}

  Status add(const model::Matchers& matchers) {
    TRY_ASSIGN(const auto set, querier_.select(matchers, {}));
    for (model::SeriesColumns series; set->next(series);) {
      // Two selectors may fit one series.
      if (series.values.empty() || !seen_.emplace(series.labels.packed()).second) continue;
      samples_ += series.values.size();
      TRY(check());
      append_export_line(out_, series);
    }
    return set->status();
  }
  std::string take() { return std::move(out_); }

 private:
  Status check() const {
    const auto over = [](std::string_view what, size_t limit, std::string_view advice) {
      return fail(Code::kOutOfRange,
                  fmt::format("export: more than {} {}: {}", limit, what, advice));
    };
    if (seen_.size() > limits_.max_series)
      return over("series", limits_.max_series, "ask for fewer, or raise query.max_series");
    if (samples_ > limits_.max_samples)
      return over("samples", limits_.max_samples, "ask for fewer, or raise query.max_samples");
    if (out_.size() > deps_.max_answer_bytes)
      return over("bytes", deps_.max_answer_bytes, "ask for a shorter range or fewer series");
    return {};
  }

  const ExportApiDeps& deps_;
  const query::promql::QueryLimits limits_;
  model::Querier& querier_;
  std::unordered_set<std::string> seen_;  // packed labels
  size_t samples_ = 0;
  std::string out_;
};

Result<std::string> export_lines(const ExportApiDeps& deps, const Request& request) {
  const Params params = request.params();
  TRY_ASSIGN(const int64_t start_ms, time_param(params, "start", kBeginningMs));
  TRY_ASSIGN(const int64_t end_ms, time_param(params, "end", kEndMs));
  if (end_ms < start_ms) {
    return fail(Code::kInvalidArgument,
                "invalid parameter \"end\": end timestamp must not be before start time");
  }
  TRY_ASSIGN(const auto selectors, query::promql::parse_selectors(params.all("match[]")));
  if (selectors.empty()) return fail(Code::kInvalidArgument, "no match[] parameter provided");
  TRY_ASSIGN(const auto querier, deps.store.querier(start_ms, end_ms));
  Export lines(deps, *querier);
  for (const auto& matchers : selectors) TRY(lines.add(matchers));
  return lines.take();
}

}  // namespace

void append_export_line(std::string& out, const model::SeriesColumns& series) {
  out += "{\"metric\":";
  append_labels(out, series.labels);
  out += ",\"values\":[";
  for (const double value : series.values) {
    if (out.back() != '[') out.push_back(',');
    append_value(out, value);
  }
  out += "],\"timestamps\":[";
  for (const int64_t time_ms : series.timestamps_ms) {
    if (out.back() != '[') out.push_back(',');
    fmt::format_to(std::back_inserter(out), "{}", time_ms);
  }
  out += "]}\n";
}

Status register_export_api(net::Router& router, ExportApiDeps deps) {
  net::Route route;
  route.method = net::Method::kGet;
  route.pattern = "/api/binnacle/v1/export";
  route.group = net::RouteGroup::kApi;
  route.role = Role::kViewer;
  route.handler = [deps = std::move(deps)](const Request& request) {
    auto lines = export_lines(deps, request);
    if (!lines) return Response::error(lines.error());
    Response response;
    response.headers.set("Content-Type", "application/x-ndjson");
    response.body = *std::move(lines);
    return response;
  };
  return router.add(std::move(route));
}

}  // namespace binnacle::show
