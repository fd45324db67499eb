#include "show/federate.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "base/float_text.h"
#include "model/sample.h"
#include "query/promql/parser.h"
#include "show/api_routes.h"

namespace binnacle::show {
namespace {

using net::Request;
using net::Response;
using query::promql::QueryMeter;

struct Newest {
  model::Labels labels;
  int64_t time_ms = 0;
  double value = 0;
};

// The newest sample of each series within the lookback, by metric name, each series once. The
// formats know no stale markers, so a series that ended is left out.
Result<std::vector<Newest>> newest_of(const PrometheusApiDeps& deps, const Request& request,
                                      const std::vector<model::Matchers>& selectors) {
  const query::promql::QueryLimits limits = deps.limits();
  QueryMeter meter(limits, deps.clock, request.cancelled);
  const int64_t now_ms = deps.clock.wall_ms();
  TRY_ASSIGN(const auto querier, deps.store.querier(now_ms - limits.lookback_ms, now_ms));
  querier->charge_to(meter);
  std::vector<Newest> found;
  std::unordered_set<std::string> seen;  // packed labels
  for (const model::Matchers& matchers : selectors) {
    model::SelectHints hints;
    hints.start_ms = now_ms - limits.lookback_ms;
    hints.end_ms = now_ms;
    TRY_ASSIGN(const auto set, querier->select(matchers, hints));
    for (model::SeriesColumns series; set->next(series);) {
      TRY(meter.charge_series(1));
      TRY(meter.charge_samples(series.values.size()));
      if (series.values.empty() || model::is_stale(series.values.back())) continue;
      if (selectors.size() > 1 && !seen.emplace(series.labels.packed()).second) continue;
      // Twice: here and in the set, or in the text that is made of it.
      TRY(meter.charge_bytes(sizeof(Newest) + 2 * series.labels.packed().size()));
      found.push_back(
          {model::Labels(series.labels), series.timestamps_ms.back(), series.values.back()});
    }
    TRY(set->status());
  }
  std::ranges::stable_sort(found, {}, [](const Newest& n) { return n.labels.metric_name(); });
  return found;
}

// How names that are not of the old alphabet are written: whole and quoted where the reader says
// that it knows these, with underscores else.
class Names {
 public:
  explicit Names(std::string_view accept)
      : quoted_(accept.find("escaping=allow-utf-8") != std::string_view::npos) {}

  bool quoted() const { return quoted_; }
  // Metric names may hold colons.
  bool is_plain(std::string_view name, bool metric) const {
    return metric ? model::is_legacy_metric_name(name) : model::is_legacy_label_name(name);
  }
  void append(std::string& out, std::string_view name, bool metric) const;

 private:
  const bool quoted_;
};

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
}

void Names::append(std::string& out, std::string_view name, bool metric) const {
  if (is_plain(name, metric)) {
    out += name;
  } else if (quoted_) {
    out.push_back('"');
    append_escaped(out, name);
    out.push_back('"');
  } else {
    const size_t begin = out.size();
    for (const char c : name) {
      const bool tail_of_character = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
      if (tail_of_character) continue;
      const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                        (c == ':' && metric) || (c >= '0' && c <= '9' && out.size() > begin);
      out.push_back(good ? c : '_');
    }
  }
}

class FederationText {
 public:
  FederationText(std::string_view accept, ConfigMap external_labels)
      : names_(accept), external_labels_(std::move(external_labels)) {
    // A reader that adds an `instance` of its own should not give ours to what had none.
    external_labels_.try_emplace("instance");
  }

  void add(const Newest& newest) {
    const std::string_view name = newest.labels.metric_name();
    if (name.empty()) return;
    if (name != last_name_) begin_metric(name);
    const bool in_braces = names_.quoted() && !names_.is_plain(name, true);
    if (in_braces) {
      out_.push_back('{');
      names_.append(out_, name, true);
      add_labels(newest, ',');
    } else {
      names_.append(out_, name, true);
      add_labels(newest, '{');
    }
    out_.push_back(' ');
    append_float_text(out_, newest.value);
    out_ += fmt::format(" {}\n", newest.time_ms);
  }
  std::string take() { return std::move(out_); }

 private:
  void begin_metric(std::string_view name) {
    last_name_ = name;
    out_ += "# TYPE ";
    names_.append(out_, name, true);
    out_ += " untyped\n";
  }
  // There is always one: `instance`.
  void add_labels(const Newest& newest, char separator) {
    const auto add = [&](std::string_view name, std::string_view value) {
      out_.push_back(std::exchange(separator, ','));
      names_.append(out_, name, false);
      out_ += "=\"";
      append_escaped(out_, value);
      out_.push_back('"');
    };
    for (const model::Label& label : newest.labels) {
      if (label.name != model::kMetricName) add(label.name, label.value);
    }
    for (const auto& [name, value] : external_labels_) {
      if (newest.labels.get(name).empty()) add(name, value);
    }
    out_.push_back('}');
  }

  const Names names_;
  ConfigMap external_labels_;
  std::string_view last_name_;
  std::string out_;
};

Response federate(const PrometheusApiDeps& deps, const Request& request) {
  const net::Params params = request.params();
  const auto selectors = query::promql::parse_selectors(params.all("match[]"));
  if (!selectors) return Response::text(400, selectors.error().message + "\n");
  const auto newest = newest_of(deps, request, *selectors);
  if (!newest) {
    const Code code = newest.error().code;
    const int status = code == Code::kUnavailable         ? 503
                       : code == Code::kResourceExhausted ? 422
                                                          : 500;
    return Response::text(status, newest.error().message + "\n");
  }
  const std::string_view accept = request.header("Accept");
  FederationText text(accept, deps.external_labels());
  for (const Newest& one : *newest) text.add(one);
  Response response = Response::text(200, text.take());
  response.headers.set("Content-Type", Names(accept).quoted()
                                           ? "text/plain; version=1.0.0; charset=utf-8; "
                                             "escaping=allow-utf-8"
                                           : "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

}  // namespace

Status register_federate(net::Router& router, std::shared_ptr<const PrometheusApiDeps> deps) {
  return add_api_route(router, {"/federate", {net::Method::kGet}, deps->queue},
                       [deps](const Request& request) { return federate(*deps, request); });
}

}  // namespace binnacle::show
