#include "watch/health/health_series.h"

#include <string_view>

namespace binnacle::watch::health {
namespace {

using model::Labels;
using model::LabelsBuilder;

class Points {
 public:
  explicit Points(const Labels& base) : base_(base) {}

  void start() { labels_ = LabelsBuilder(base_.view()); }
  Points& label(std::string_view name, std::string_view value) {
    labels_.set(name, value);
    return *this;
  }
  void add(std::string_view metric, double value) {
    labels_.set(model::kMetricName, metric);
    points_.push_back({labels_.build(), value});
  }
  std::vector<SeriesPoint> take() { return std::move(points_); }

 private:
  const Labels& base_;
  LabelsBuilder labels_;
  std::vector<SeriesPoint> points_;
};

double number(Health health) { return static_cast<double>(health); }

void add_scope(Points& points, Scope scope, const std::string& node, const std::string& component,
               const Summary& sum) {
  points.start();
  points.label("scope", scope_name(scope)).label("node", node).label("component", component);
  points.add("binnacle_health_status", number(sum.health));
  if (const auto score = sum.score()) points.add("binnacle_health_score", *score);
}

void add_check(Points& points, const CheckRow& row, const RunCounts* runs) {
  points.start();
  points.label("check", row.spec.name)
      .label("component", component_of(row.spec))
      .label("node", row.spec.node)
      .label("kind", row.spec.kind);
  points.add("binnacle_health_check_status", number(row.state.health));
  points.add("binnacle_health_check_maintenance", row.maintained ? 1 : 0);
  if (row.state.last) {
    constexpr double kMsPerSecond = 1000;
    if (row.state.last->value) points.add("binnacle_health_check_value", *row.state.last->value);
    points.add("binnacle_health_check_duration_seconds",
               static_cast<double>(row.state.last->took_ms) / kMsPerSecond);
  }
  if (runs == nullptr) return;
  points.add("binnacle_health_check_runs_total", static_cast<double>(runs->runs));
  points.add("binnacle_health_check_timeouts_total", static_cast<double>(runs->timeouts));
}

}  // namespace

std::vector<SeriesPoint> series_of(const HealthTree& tree,
                                   const std::map<std::string, RunCounts>& counts,
                                   const Labels& base) {
  Points points(base);
  add_scope(points, Scope::kCluster, "", "", tree.cluster().sum);
  for (const auto& [name, node] : tree.nodes()) add_scope(points, Scope::kNode, name, "", node.sum);
  for (const auto& [key, component] : tree.components())
    add_scope(points, Scope::kComponent, key.first, key.second, component.sum);
  for (const auto& [name, row] : tree.checks()) {
    const auto found = counts.find(name);
    add_check(points, row, found == counts.end() ? nullptr : &found->second);
  }
  return points.take();
}

Status HealthSeries::write(const std::vector<SeriesPoint>& points, int64_t at_ms) {
  ++round_;
  const auto to = store_.appender();
  for (const SeriesPoint& point : points) {
    Known& known = known_[point.labels.packed()];
    known.round = round_;
    TRY_ASSIGN(known.ref, to->append(known.ref, point.labels, {at_ms, point.value}));
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.round == round_) {
      ++it;
      continue;
    }
    TRY(to->append(it->second.ref, model::LabelsView(it->first), {at_ms, model::stale_nan()}));
    it = known_.erase(it);
  }
  TRY(to->commit());
  return {};
}

}  // namespace binnacle::watch::health
