#include "show/metadata_api.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "show/api_params.h"
#include "show/api_routes.h"
#include "show/time_params.h"

namespace binnacle::show {
namespace {

using net::Params;
using net::Request;
using query::promql::QueryMeter;

struct Scope {
  std::unique_ptr<model::Querier> querier;  // null: no time is in the range
  std::vector<model::Matchers> selectors;
  size_t limit = 0;       // as asked for, else query.max_label_answers
  bool is_asked = false;  // the limit
};

// What labels, label values and series share: a limit, a time range and selectors.
Result<Scope> scope_of(const PrometheusApiDeps& deps, const Params& params, QueryMeter& meter) {
  Scope scope;
  TRY_ASSIGN(scope.limit, limit_param(params));
  scope.is_asked = scope.limit != 0;
  if (!scope.is_asked) scope.limit = meter.limits().max_label_answers;
  TRY_ASSIGN(const TimeRange range, range_params(params));
  TRY_ASSIGN(scope.selectors, match_params(params));
  if (range.start_ms > range.end_ms) return scope;
  TRY_ASSIGN(scope.querier, deps.store.querier(range.start_ms, range.end_ms));
  scope.querier->charge_to(meter);
  return scope;
}

// One more than is answered, to see that there are more.
size_t limit_to_ask(size_t limit) { return limit + 1; }

// Runs `ask` for each selector (once over everything when there is none) and joins the sorted
// answers.
template <typename Ask>
Result<ApiData> joined(const Scope& scope, QueryMeter& meter, const Ask& ask) {
  constexpr size_t kBytesOfNode = 96;
  std::vector<std::string> found;
  model::HeldBytes held(&meter);
  if (scope.querier != nullptr && scope.selectors.size() <= 1) {
    TRY_ASSIGN(found, ask(scope.selectors.empty() ? model::Matchers{} : scope.selectors.front(),
                          limit_to_ask(scope.limit)));
  } else if (scope.querier != nullptr) {
    std::set<std::string> all;
    for (const auto& matchers : scope.selectors) {
      TRY_ASSIGN(std::vector<std::string> some, ask(matchers, limit_to_ask(scope.limit)));
      all.insert(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
      while (all.size() > limit_to_ask(scope.limit)) all.erase(std::prev(all.end()));
      TRY(held.set(all.size() * kBytesOfNode));
    }
    found.assign(std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()));
  }
  const bool truncated = found.size() > scope.limit;
  if (truncated) found.resize(scope.limit);
  ApiData data{""};
  append_strings(data.json, found);
  if (truncated) data.warnings.emplace_back(kTruncated);
  return data;
}

Result<ApiData> labels(const PrometheusApiDeps& deps, const Request& request) {
  QueryMeter meter(deps.limits(), deps.clock, request.cancelled);
  TRY_ASSIGN(const Scope scope, scope_of(deps, request.params(), meter));
  return joined(scope, meter, [&](const model::Matchers& matchers, size_t limit) {
    return scope.querier->label_names(matchers, limit);
  });
}

Result<ApiData> label_values(const PrometheusApiDeps& deps, const Request& request) {
  const std::string name = unescape_label_name(request.path_param("name"));
  if (name.empty() || !is_valid_utf8(name)) {
    std::string message = "invalid label name: ";
    append_json_string(message, name);
    return fail(Code::kInvalidArgument, std::move(message));
  }
  QueryMeter meter(deps.limits(), deps.clock, request.cancelled);
  TRY_ASSIGN(const Scope scope, scope_of(deps, request.params(), meter));
  return joined(scope, meter, [&](const model::Matchers& matchers, size_t limit) {
    return scope.querier->label_values(name, matchers, limit);
  });
}

// Labels of the series that fit a selector, in label order, one more than the limit at most. More
// than query.max_series are an error only where they were asked for.
Result<std::vector<model::Labels>> series_of(const Scope& scope, QueryMeter& meter) {
  constexpr size_t kWorkOfSeries = 1024;  // in values computed
  constexpr size_t kBytesOfNode = 96;
  const size_t max_series = meter.limits().max_series;
  const auto by_labels = [](const model::Labels& a, const model::Labels& b) {
    return model::compare(a, b) < 0;
  };
  std::set<model::Labels, decltype(by_labels)> found(by_labels);
  model::SelectHints hints;
  hints.series_only = true;
  hints.limit = limit_to_ask(scope.limit);
  for (const auto& matchers : scope.selectors) {
    TRY_ASSIGN(const auto set, scope.querier->select(matchers, hints));
    model::SeriesColumns columns;
    for (size_t count = 0; count < hints.limit && set->next(columns); ++count) {
      TRY(meter.work(kWorkOfSeries));
      if (found.emplace(columns.labels).second)
        TRY(meter.charge_bytes(columns.labels.packed().size() + kBytesOfNode));
      if (found.size() > hints.limit) found.erase(std::prev(found.end()));
      if (found.size() > max_series + 1) {  // one more than is shown
        return fail(Code::kResourceExhausted,
                    fmt::format("more than {} series match (query.max_series): select fewer, or "
                                "set a smaller limit",
                                max_series));
      }
    }
    TRY(set->status());
  }
  return std::vector<model::Labels>(found.begin(), found.end());
}

Result<ApiData> series(const PrometheusApiDeps& deps, const Request& request) {
  const Params params = request.params();
  if (!params.has("match[]")) return fail(Code::kInvalidArgument, "no match[] parameter provided");
  if (auto selectors = match_params(params); !selectors && limit_param(params))
    return invalid_param("match[]", std::move(selectors).error());
  QueryMeter meter(deps.limits(), deps.clock, request.cancelled);
  TRY_ASSIGN(Scope scope, scope_of(deps, params, meter));
  if (!scope.is_asked) scope.limit = std::min(scope.limit, meter.limits().max_series);
  std::vector<model::Labels> found;
  if (scope.querier != nullptr) {
    TRY_ASSIGN(found, series_of(scope, meter));
  }
  ApiData data{"["};
  for (size_t i = 0; i < found.size(); ++i) {
    if (i == scope.limit) {
      data.warnings.emplace_back(kTruncated);
      break;
    }
    if (i > 0) data.json.push_back(',');
    append_labels(data.json, found[i]);
  }
  data.json.push_back(']');
  return data;
}

void append_metadata(std::string& out, const model::MetricMetadata& one) {
  out += fmt::format(R"([{{"type":"{}","unit":)", metric_type_text(one.type));
  append_json_string(out, one.unit);
  out += ",\"help\":";
  append_json_string(out, one.help);
  out += "}]";
}

// The store keeps one word for each metric, so limit_per_metric never leaves anything out.
Result<ApiData> metadata(const PrometheusApiDeps& deps, const Request& request) {
  const Params params = request.params();
  TRY_ASSIGN(const int64_t limit, number_param(params, "limit"));
  TRY(number_param(params, "limit_per_metric"));
  const auto metric = params.get("metric");
  ApiData data{"{"};
  int64_t written = 0;
  for (const auto& [name, one] : deps.metadata()) {
    if (!metric.empty() && name != metric) continue;
    if (limit >= 0 && written == limit) break;
    if (written++ > 0) data.json.push_back(',');
    append_json_string(data.json, name);
    data.json.push_back(':');
    append_metadata(data.json, one);
  }
  data.json.push_back('}');
  return data;
}

// False for what is no code point.
bool append_utf8(std::string& out, uint32_t code) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

// A hexadecimal code point between underscores, as U__ names have them; what follows it in `rest`.
bool take_code_point(std::string_view& rest, std::string& out) {
  constexpr size_t kMostDigits = 6;
  const size_t end = rest.find('_');
  if (end == std::string_view::npos || end == 0 || end > kMostDigits) return false;
  uint32_t code = 0;
  const auto [at, error] = std::from_chars(rest.data(), rest.data() + end, code, 16);
  if (error != std::errc() || at != rest.data() + end) return false;
  rest.remove_prefix(end + 1);
  return append_utf8(out, code);
}

}  // namespace

std::string unescape_label_name(std::string_view text) {
  if (!text.starts_with("U__")) return std::string(text);
  std::string out;
  for (std::string_view rest = text.substr(3); !rest.empty();) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '_') {
      out.push_back(c);
    } else if (rest.starts_with('_')) {
      out.push_back('_');
      rest.remove_prefix(1);
    } else if (!take_code_point(rest, out)) {
      return std::string(text);
    }
  }
  return out;
}

std::string_view metric_type_text(model::MetricType type) {
  constexpr std::string_view kTexts[] = {"unknown",        "counter", "gauge", "histogram",
                                         "gaugehistogram", "summary", "info",  "stateset"};
  return kTexts[static_cast<size_t>(type)];
}

Status register_metadata_api(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  using Call = Result<ApiData> (*)(const PrometheusApiDeps&, const Request&);
  using net::Method;
  const auto add = [&](std::string pattern, std::vector<Method> methods, Call call,
                       net::RequestQueue* queue = nullptr) {
    return add_api_call(router, {std::move(pattern), std::move(methods), queue},
                        [deps, call](const Request& request) { return call(*deps, request); });
  };
  TRY(add("/api/v1/labels", {Method::kGet, Method::kPost}, labels, deps->queue));
  TRY(add("/api/v1/label/{name}/values", {Method::kGet}, label_values, deps->queue));
  TRY(add("/api/v1/series", {Method::kGet, Method::kPost}, series, deps->queue));
  return add("/api/v1/metadata", {Method::kGet}, metadata);
}

}  // namespace binnacle::show
