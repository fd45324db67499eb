#include "watch/heartbeat/up_writer.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace binnacle::watch::heartbeat {
namespace {

using model::NodeState;

constexpr std::string_view kUp = "up";
constexpr int64_t kAheadMs = 600'000;  // of an agent whose clock is fast

bool lives(NodeState state) {
  return state == NodeState::kUp || state == NodeState::kSuspect || state == NodeState::kDraining;
}

model::Labels up_labels(const std::string& name, const std::string& cluster) {
  model::LabelsBuilder labels;
  return labels.set(model::kMetricName, kUp)
      .set("job", "node")
      .set("instance", name)
      .set("node", name)
      .set("cluster", cluster)
      .build();
}

}  // namespace

UpWriter::UpWriter(UpWriterOptions options, const model::NodeView& nodes, model::Appendable& store,
                   model::Queryable& reads, KeepsOn keeps_on, const Clock& clock,
                   Registry& registry)
    : options_(std::move(options)),
      nodes_(nodes),
      store_(store),
      reads_(reads),
      keeps_on_(std::move(keeps_on)),
      clock_(clock),
      markers_(registry.counter("binnacle_heartbeat_stale_markers_total",
                                "Series of nodes that went down or left, which were ended.")) {}

Status UpWriter::tick() {
  const auto appender = store_.appender();
  refused_ = 0;
  Status outcome;
  const auto note = [&outcome](Status done) {
    if (!done && outcome) outcome = std::move(done);
  };
  std::set<std::string> seen;
  for (const model::Node& node : nodes_.nodes()) {
    seen.insert(node.name);
    note(tell(node, told_[node.name], *appender));
  }
  for (auto it = told_.begin(); it != told_.end();) {
    const bool gone = !seen.contains(it->first);
    if (gone && it->second.written_ms != 0)
      note(end_series(it->first, it->second, true, *appender));
    it = gone ? told_.erase(it) : std::next(it);
  }
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  refused_ += report.refused.size();
  if (refused_ > 0) {
    note(fail(Code::kResourceExhausted,
              fmt::format("up of nodes: {} samples were refused", refused_)));
  }
  return outcome;
}

Status UpWriter::tell(const model::Node& node, Told& told, model::Appender& appender) {
  const NodeState before = std::exchange(told.state, node.state);
  const int64_t now_ms = clock_.monotonic_ms();
  if (!node.cluster.empty()) told.cluster = node.cluster;
  if (told.cluster.empty()) told.cluster = options_.cluster;
  if (node.state == NodeState::kLeft) {
    const bool written = std::exchange(told.written_ms, 0) != 0;
    return written ? end_series(node.name, told, true, appender) : Status();
  }
  Status ended;
  bool at_once = told.written_ms == 0 || lives(before) != lives(node.state);
  if (node.state != NodeState::kDown) {
    told.engines.clear();
    told.end_again_ms = 0;
  } else if (before != NodeState::kDown) {
    at_once = true;
    ended = end_series(node.name, told, false, appender);
    told.end_again_ms = now_ms + options_.interval_ms;
  } else if (told.end_again_ms != 0 && now_ms >= told.end_again_ms) {
    ended = end_series(node.name, told, false, appender);
    told.end_again_ms = 0;
  }
  if (at_once || now_ms - told.written_ms >= options_.interval_ms) {
    write(node, told, appender);
    told.written_ms = now_ms;
  }
  return ended;
}

void UpWriter::append(model::Appender& appender, model::LabelsView labels, model::Sample sample) {
  if (!appender.append(model::kNoSeries, labels, sample)) ++refused_;
}

void UpWriter::write(const model::Node& node, Told& told, model::Appender& appender) {
  const int64_t now_ms = clock_.wall_ms();
  append(appender, up_labels(node.name, told.cluster), {now_ms, lives(node.state) ? 1.0 : 0.0});
  for (const model::Labels& engine : told.engines) append(appender, engine, {now_ms, 0});
}

Status UpWriter::end_series(const std::string& node, Told& told, bool wholly,
                            model::Appender& appender) {
  const int64_t now_ms = clock_.wall_ms();
  TRY_ASSIGN(const auto querier, reads_.querier(now_ms - options_.lookback_ms, now_ms + kAheadMs));
  TRY_ASSIGN(auto matcher, model::Matcher::create(model::MatchOp::kEqual, "node", node));
  model::SelectHints hints;
  hints.start_ms = now_ms - options_.lookback_ms;
  hints.end_ms = now_ms + kAheadMs;
  hints.limit = options_.max_series;
  hints.any_order = true;
  hints.newest_only = true;
  TRY_ASSIGN(const auto series, querier->select({std::move(matcher)}, hints));
  const model::Labels own = up_labels(node, told.cluster);
  std::vector<model::Labels> engines;
  size_t ended = 0;
  model::SeriesColumns columns;
  while (series->next(columns)) {
    const bool is_own = columns.labels == own.view();
    if (columns.values.empty() || model::is_stale(columns.values.back())) continue;
    if (is_own ? !wholly : keeps_on_ && keeps_on_(columns.labels)) continue;
    if (!wholly && columns.labels.metric_name() == kUp) {
      if (engines.size() < options_.max_engines) engines.emplace_back(columns.labels);
      continue;
    }
    // Behind the newest, which a fast clock may have put into the future.
    append(appender, columns.labels,
           {std::max(now_ms, columns.timestamps_ms.back() + 1), model::stale_nan()});
    ++ended;
  }
  TRY(series->status());
  if (!engines.empty()) told.engines = std::move(engines);
  markers_.add(static_cast<double>(ended));
  log_.info("series of a node ended", {{"node", node}, {"series", ended}});
  return {};
}

}  // namespace binnacle::watch::heartbeat
