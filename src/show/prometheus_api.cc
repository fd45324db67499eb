#include "show/prometheus_api.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>

#include "base/config_units.h"
#include "query/promql/parser.h"
#include "show/prometheus_json.h"
#include "show/time_params.h"

namespace binnacle::show {
namespace {

using net::Params;
using net::Request;
using net::Response;
using query::promql::Steps;

// Seconds with a fraction, or a duration: "15", "0.5", "1m30s".
Result<int64_t> step_param(const Params& params) {
  const auto text = params.get("step");
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (!std::isfinite(seconds) || seconds <= 0 || seconds > 1e10) {
      return fail(Code::kInvalidArgument,
                  "invalid parameter \"step\": zero or negative query resolution step widths are "
                  "not accepted. "
                  "Try a positive integer");
    }
    return std::max<int64_t>(1, std::llround(seconds * 1000));
  }
  auto ms = parse_duration_ms(text);
  if (!ms) return fail(std::move(ms).error().with_context("invalid parameter \"step\""));
  return *ms;
}

Result<size_t> limit_param(const Params& params) {
  const auto text = params.get("limit");
  size_t limit = 0;
  if (text.empty()) return limit;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("invalid parameter \"limit\": limit must be non-negative (\"{:.64}\")", text));
  }
  return limit;
}

Result<model::Matchers> selector_param(const Params& params) {
  auto matchers = query::promql::parse_selector(params.get("query"));
  if (!matchers)
    return fail(std::move(matchers).error().with_context("invalid parameter \"query\""));
  return matchers;
}

Result<std::vector<model::Matchers>> match_params(const Params& params) {
  auto selectors = query::promql::parse_selectors(params.all("match[]"));
  if (!selectors)
    return fail(std::move(selectors).error().with_context("invalid parameter \"match[]\""));
  return selectors;
}

struct Scope {
  std::unique_ptr<model::Querier> querier;
  std::vector<model::Matchers> selectors;
  size_t limit = 0;
};

// What labels, label values and series share: a time range, selectors and a limit.
Result<Scope> scope_of(const PrometheusApiDeps& deps, const Params& params) {
  TRY_ASSIGN(const int64_t start_ms, time_param(params, "start", kBeginningMs));
  TRY_ASSIGN(const int64_t end_ms, time_param(params, "end", kEndMs));
  if (end_ms < start_ms) {
    return fail(Code::kInvalidArgument,
                "invalid parameter \"end\": end timestamp must not be before start time");
  }
  Scope scope;
  TRY_ASSIGN(scope.selectors, match_params(params));
  TRY_ASSIGN(scope.limit, limit_param(params));
  TRY_ASSIGN(scope.querier, deps.store.querier(start_ms, end_ms));
  return scope;
}

// Runs `ask` for each selector (once over everything when there is none) and joins the sorted
// answers.
template <typename Ask>
Result<std::vector<std::string>> joined(const Scope& scope, const Ask& ask) {
  if (scope.selectors.empty()) return ask(model::Matchers{}, scope.limit);
  if (scope.selectors.size() == 1) return ask(scope.selectors.front(), scope.limit);
  std::set<std::string> all;
  for (const auto& matchers : scope.selectors) {
    TRY_ASSIGN(std::vector<std::string> some, ask(matchers, size_t{0}));
    all.insert(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  std::vector<std::string> out(all.begin(), all.end());
  if (scope.limit != 0 && out.size() > scope.limit) out.resize(scope.limit);
  return out;
}

Result<std::string> query(const PrometheusApiDeps& deps, const Request& request) {
  const Params params = request.params();
  TRY_ASSIGN(const int64_t time_ms, time_param(params, "time", deps.clock.wall_ms()));
  TRY_ASSIGN(const auto matchers, selector_param(params));
  TRY_ASSIGN(const auto series,
             query::promql::evaluate(deps.store, matchers, {time_ms, time_ms, 0}, deps.limits()));
  return vector_data(series, time_ms);
}

Result<std::string> query_range(const PrometheusApiDeps& deps, const Request& request) {
  const Params params = request.params();
  for (const std::string_view name : {"start", "end", "step"}) {
    if (params.get(name).empty()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("invalid parameter \"{0}\": {0} is missing", name));
    }
  }
  Steps steps;
  TRY_ASSIGN(steps.start_ms, time_param(params, "start", 0));
  TRY_ASSIGN(steps.end_ms, time_param(params, "end", 0));
  TRY_ASSIGN(steps.step_ms, step_param(params));
  TRY_ASSIGN(const auto matchers, selector_param(params));
  TRY_ASSIGN(const auto series,
             query::promql::evaluate(deps.store, matchers, steps, deps.limits()));
  return matrix_data(series, steps);
}

Result<std::string> labels(const PrometheusApiDeps& deps, const Request& request) {
  TRY_ASSIGN(const Scope scope, scope_of(deps, request.params()));
  TRY_ASSIGN(const auto names, joined(scope, [&](const model::Matchers& matchers, size_t limit) {
               return scope.querier->label_names(matchers, limit);
             }));
  return strings_data(names);
}

Result<std::string> label_values(const PrometheusApiDeps& deps, const Request& request) {
  const std::string_view name = request.path_param("name");
  if (name.empty()) return fail(Code::kInvalidArgument, "invalid label name: it is empty");
  TRY_ASSIGN(const Scope scope, scope_of(deps, request.params()));
  TRY_ASSIGN(const auto values, joined(scope, [&](const model::Matchers& matchers, size_t limit) {
               return scope.querier->label_values(name, matchers, limit);
             }));
  return strings_data(values);
}

Result<std::string> series(const PrometheusApiDeps& deps, const Request& request) {
  TRY_ASSIGN(const Scope scope, scope_of(deps, request.params()));
  if (scope.selectors.empty()) return fail(Code::kInvalidArgument, "no match[] parameter provided");
  model::SelectHints hints;
  hints.series_only = true;
  const auto by_labels = [](const model::Labels& a, const model::Labels& b) {
    return model::compare(a, b) < 0;
  };
  std::set<model::Labels, decltype(by_labels)> found(by_labels);
  for (const auto& matchers : scope.selectors) {
    TRY_ASSIGN(const auto set, scope.querier->select(matchers, hints));
    model::SeriesColumns columns;
    while (set->next(columns)) found.emplace(columns.labels);
    TRY(set->status());
  }
  std::string out = "[";
  size_t written = 0;
  for (const model::Labels& one : found) {
    if (scope.limit != 0 && written == scope.limit) break;
    if (written++ > 0) out.push_back(',');
    append_labels(out, one);
  }
  out.push_back(']');
  return out;
}

// Grafana takes a server whose `features` are empty for a plain Prometheus.
Result<std::string> build_info(const PrometheusApiDeps& deps, const Request&) {
  return fmt::format(
      R"({{"version":"{}","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":""}})",
      deps.version);
}

using Call = Result<std::string> (*)(const PrometheusApiDeps&, const Request&);

}  // namespace

Status register_prometheus_api(net::Router& router, PrometheusApiDeps deps) {
  const auto shared =
      std::make_shared<const PrometheusApiDeps>(std::move(deps));  // by every route's handler
  const auto add = [&](std::string pattern, Call call,
                       std::initializer_list<net::Method> methods) -> Status {
    for (const net::Method method : methods) {
      net::Route route;
      route.method = method;
      route.pattern = pattern;
      route.group = net::RouteGroup::kApi;
      route.role = Role::kViewer;
      route.handler = [shared, call](const Request& request) {
        const auto data = call(*shared, request);
        return data ? success(*data) : failure(data.error());
      };
      TRY(router.add(std::move(route)));
    }
    return {};
  };
  using net::Method;
  TRY(add("/api/v1/query", query, {Method::kGet, Method::kPost}));
  TRY(add("/api/v1/query_range", query_range, {Method::kGet, Method::kPost}));
  TRY(add("/api/v1/labels", labels, {Method::kGet, Method::kPost}));
  TRY(add("/api/v1/label/{name}/values", label_values, {Method::kGet}));
  TRY(add("/api/v1/series", series, {Method::kGet, Method::kPost}));
  return add("/api/v1/status/buildinfo", build_info, {Method::kGet});
}

}  // namespace binnacle::show
