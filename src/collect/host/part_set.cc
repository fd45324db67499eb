#include "collect/host/part_set.h"

#include <algorithm>

namespace binnacle::collect::host {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr double kNsPerSecond = 1e9;

// A part with a period of its own waits at least this many times as long as its last run took, so
// that a host with ten thousand processes or hundreds of cores does not pay more for it than a
// thousandth of a core.
constexpr int64_t kRestPerWork = 1000;
// Beyond that its series would come near the look-back of a query (5 min).
constexpr int64_t kMaxRestNs = 60'000 * kNsPerMs;
// A due time that close counts as reached: ticks come a little early or late.
constexpr int64_t kDueSlackNs = 100 * kNsPerMs;

}  // namespace

PartSet::PartSet(Parts parts, model::Labels extra, size_t max_series, const Clock& clock,
                 model::Appendable& store, Registry& registry)
    : clock_(clock),
      store_(store),
      refused_samples_(registry.counter("binnacle_collector_refused_samples_total",
                                        "Host samples that the store or a limit refused.")),
      commit_failures_(registry.counter("binnacle_collector_commit_failures_total",
                                        "Batches of host samples that the store did not take.")),
      emitter_(std::move(extra), max_series) {
  for (auto& part : parts) {
    const InstrumentLabels labels = {{"collector", std::string(part->name())}};
    Slot slot;
    slot.duration = &registry.gauge("binnacle_collector_duration_seconds",
                                    "Wall time of the last run of a collector.", labels);
    slot.success =
        &registry.gauge("binnacle_collector_success",
                        "1 when the last run of a collector read all it should, else 0.", labels);
    slot.failures =
        &registry.counter("binnacle_collector_failures_total",
                          "Runs of a collector that failed in whole or in part.", labels);
    slot.part = std::move(part);
    slots_.push_back(std::move(slot));
  }
}

Status PartSet::collect(int64_t timestamp_ms) {
  const int64_t now_ns = clock_.monotonic_ns();
  const auto appender = store_.appender();
  emitter_.begin_batch(*appender, timestamp_ms);
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].due_ns <= now_ns + kDueSlackNs) run(i);
  }
  refused_samples_.add(static_cast<double>(emitter_.refused_samples() - refused_before_));
  refused_before_ = emitter_.refused_samples();
  return commit(*appender);
}

void PartSet::run(size_t index) {
  Slot& slot = slots_[index];
  const int64_t start_ns = clock_.monotonic_ns();
  emitter_.begin_part(index);
  const Status outcome = slot.part->collect(emitter_);
  emitter_.end_part();
  const int64_t took_ns = clock_.monotonic_ns() - start_ns;

  slot.duration->set(static_cast<double>(took_ns) / kNsPerSecond);
  note_outcome(slot, outcome);
  if (const int64_t period_ns = slot.part->period_ms() * kNsPerMs; period_ns > 0) {
    slot.due_ns = start_ns + std::max(period_ns, std::min(took_ns * kRestPerWork, kMaxRestNs));
  }
}

void PartSet::note_outcome(Slot& slot, const Status& outcome) {
  slot.success->set(outcome ? 1 : 0);
  if (!outcome) slot.failures->add();
  if (slot.failing == !outcome) return;
  slot.failing = !outcome;
  if (outcome) {
    log_.info("collector works again", {{"collector", slot.part->name()}});
  } else {
    log_.warn(
        "collector failed; what it could read is kept, the rest is stale until it works again",
        {{"collector", slot.part->name()}, {"error", outcome.error().message}});
  }
}

Status PartSet::commit(model::Appender& appender) {
  const Result<model::CommitReport> committed = appender.commit();
  if (committed) {
    refused_samples_.add(static_cast<double>(committed->refused.size()));
  } else {
    commit_failures_.add();
  }
  const Status outcome = committed ? Status() : Status(fail(committed.error()));
  if (commit_failing_ == !outcome) return outcome;
  commit_failing_ = !outcome;
  if (outcome) {
    log_.info("host samples are stored again");
  } else {
    log_.error("host samples were not stored", {{"error", outcome.error().message}});
  }
  return outcome;
}

}  // namespace binnacle::collect::host
