#include "show/query_api.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json_text.h"
#include "query/promql/parser.h"
#include "query/promql/printer.h"
#include "show/api_params.h"
#include "show/api_routes.h"
#include "show/ast_json.h"
#include "show/query_answer_json.h"
#include "show/time_params.h"

namespace binnacle::show {
namespace {

using net::Params;
using net::Request;
using net::Response;
using namespace query::promql;

// 11,000, as people write it.
std::string with_commas(size_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3;) out.insert(at -= 3, ",");
  return out;
}

// What `timeout` and `lookback_delta` allow beside the settings.
Status apply_options(const Params& params, QueryLimits& limits) {
  if (const auto text = params.get("timeout"); !text.empty()) {
    auto timeout = duration_of(text);
    if (!timeout) return invalid_param("timeout", std::move(timeout).error());
    const int64_t asked_ms = std::max<int64_t>(*timeout, 1);
    limits.timeout_ms = limits.timeout_ms == 0 ? asked_ms : std::min(limits.timeout_ms, asked_ms);
  }
  if (const auto text = params.get("lookback_delta"); !text.empty()) {
    auto lookback = duration_of(text);
    if (!lookback) {
      return fail(
          std::move(lookback).error().with_context("error parsing lookback delta duration"));
    }
    if (*lookback > 0) limits.lookback_ms = *lookback;
  }
  return {};
}

Result<Steps> step_params(const Params& params, const QueryLimits& limits) {
  Steps steps;
  TRY_ASSIGN(steps.start_ms, required_time_param(params, "start"));
  TRY_ASSIGN(steps.end_ms, required_time_param(params, "end"));
  if (steps.end_ms < steps.start_ms)
    return invalid_param("end", "end timestamp must not be before start time");
  const auto text = params.get("step");
  auto step_ms = duration_of(text);
  if (!step_ms) return invalid_param("step", std::move(step_ms).error());
  // Steps of less than a millisecond become one.
  const bool too_short = *step_ms == 0 && text.find_first_of("123456789") != std::string_view::npos;
  steps.step_ms = too_short && !text.starts_with('-') ? 1 : *step_ms;
  if (steps.step_ms <= 0) {
    return invalid_param("step",
                         "zero or negative query resolution step widths are not accepted. Try a "
                         "positive integer");
  }
  if (static_cast<size_t>((steps.end_ms - steps.start_ms) / steps.step_ms) > limits.max_points) {
    return fail(Code::kInvalidArgument,
                fmt::format("exceeded maximum resolution of {} points per timeseries. Try "
                            "decreasing the query resolution (?step=XX), or raise query.max_points",
                            with_commas(limits.max_points)));
  }
  return steps;
}

struct Asked {
  Query query;
  QueryLimits limits;
  size_t limit = 0;  // of series that are shown
};

Result<Asked> asked_of(const PrometheusApiDeps& deps, const Params& params, bool instant) {
  Asked asked;
  asked.query.step_stats = params.get("stats") == "all";
  asked.limits = deps.limits();
  asked.query.text = params.get("query");
  asked.query.instant = instant;
  TRY_ASSIGN(asked.limit, limit_param(params));
  if (instant) {
    TRY_ASSIGN(const int64_t time_ms, time_param(params, "time", deps.clock.wall_ms()));
    asked.query.steps = {time_ms, time_ms, 0};
  } else {
    TRY_ASSIGN(asked.query.steps, step_params(params, asked.limits));
  }
  TRY(apply_options(params, asked.limits));
  return asked;
}

// The query itself, noted in the log of queries.
Result<QueryAnswer> answer_of(const PrometheusApiDeps& deps, const Asked& asked,
                              const Request& request) {
  const int64_t begin_ns = deps.clock.monotonic_ns();
  auto answer =
      evaluate(deps.store, asked.query, asked.limits, deps.clock, request.cancelled, deps.helpers);
  deps.log.finished({.kind = asked.query.instant ? "instant" : "range",
                     .text = asked.query.text,
                     .caller = caller_of(request),
                     .seconds = static_cast<double>(deps.clock.monotonic_ns() - begin_ns) / 1e9,
                     .samples = answer ? answer->stats.samples : 0,
                     .error = answer ? nullptr : &answer.error()});
  if (!answer && answer.error().code == Code::kInvalidArgument)
    return invalid_param("query", std::move(answer).error());
  return answer;
}

Response query(const PrometheusApiDeps& deps, const Request& request, bool instant) {
  const Params params = request.params();
  const auto asked = asked_of(deps, params, instant);
  if (!asked) return failure(asked.error());
  auto answer = answer_of(deps, *asked, request);
  if (!answer) return failure(answer.error());
  const auto stats = params.get("stats");
  if (!stats.empty() && stats != "true" && stats != "all") {
    std::string quoted;
    append_json_string(quoted, stats);
    answer->warnings.push_back(
        fmt::format("value {} for parameter \"stats\" is deprecated and will be rejected in the "
                    "next major release, use \"true\" or \"all\"",
                    quoted));
  }
  // Shared, as a std::function must be copyable.
  const auto json =
      std::make_shared<QueryAnswerJson>(*std::move(answer), asked->limit, !stats.empty());
  Response response = Response::json(200, "");
  json->next(response.body);
  if (!json->done())
    response.next_piece = [json](std::string& piece) -> Result<bool> { return json->next(piece); };
  return response;
}

Result<ExprPtr> query_param(const PrometheusApiDeps& deps, const Params& params) {
  ParseOptions options;
  options.experimental = deps.limits().experimental;
  return parse(params.get("query"), options);
}

Result<ApiData> format_query(const PrometheusApiDeps& deps, const Request& request) {
  auto expr = query_param(deps, request.params());
  if (!expr) return invalid_param("query", std::move(expr).error());
  std::string out;
  append_json_string(out, pretty(**expr));
  return out;
}

Result<ApiData> parse_query(const PrometheusApiDeps& deps, const Request& request) {
  auto expr = query_param(deps, request.params());
  if (!expr) return invalid_param("query", std::move(expr).error());
  std::string out;
  append_expression_tree(out, **expr);
  return out;
}

// Exemplars are not stored, so there are none; what is asked is still checked.
Result<ApiData> query_exemplars(const PrometheusApiDeps& deps, const Request& request) {
  const Params params = request.params();
  TRY_ASSIGN(const TimeRange range, range_params(params));
  if (range.end_ms < range.start_ms)
    return fail(Code::kInvalidArgument, "end timestamp must not be before start timestamp");
  TRY(query_param(deps, params));
  return std::string("[]");
}

}  // namespace

Status register_query_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  using net::Method;
  const std::vector<Method> both = {Method::kGet, Method::kPost};
  TRY(add_api_route(router, {"/api/v1/query", both, deps->queue},
                    [deps](const Request& request) { return query(*deps, request, true); }));
  TRY(add_api_route(router, {"/api/v1/query_range", both, deps->queue},
                    [deps](const Request& request) { return query(*deps, request, false); }));
  using Call = Result<ApiData> (*)(const PrometheusApiDeps&, const Request&);
  const auto add = [&](std::string pattern, Call call) {
    return add_api_call(router, {std::move(pattern), both},
                        [deps, call](const Request& request) { return call(*deps, request); });
  };
  TRY(add("/api/v1/query_exemplars", query_exemplars));
  TRY(add("/api/v1/format_query", format_query));
  return add("/api/v1/parse_query", parse_query);
}

}  // namespace binnacle::show
