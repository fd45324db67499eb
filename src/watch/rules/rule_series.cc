#include "watch/rules/rule_series.h"

#include <optional>

#include <fmt/format.h>

namespace binnacle::watch::rules {
namespace {

// The batch's samples in order of append(), of which the first so many are the evaluation's.
Status first_refusal(const model::CommitReport& report, size_t samples) {
  for (const model::Refusal& refusal : report.refused) {
    if (refusal.index >= samples) continue;  // a marker for what another rule writes by now
    return fail(refusal.error);
  }
  return {};
}

}  // namespace

Status RuleSeries::write(model::Appendable& store, int64_t at_ms,
                         const std::vector<RuleSample>& samples) {
  if (samples.empty() && known_.empty()) return {};
  const auto appender = store.appender();
  ++round_;
  Status first;
  size_t appended = 0;
  for (const RuleSample& sample : samples) {
    Known& known = known_[sample.labels.packed()];
    const auto ref = appender->append(known.ref, sample.labels, {at_ms, sample.value});
    ++appended;
    if (!ref) {
      if (first) first = fail(ref.error());
      continue;
    }
    known = {*ref, round_};
  }
  for (const auto& [packed, known] : known_) {
    if (known.written == round_ || known.ref == model::kNoSeries) continue;
    // A marker that is refused at once belongs to a series that the store has no place for.
    (void)appender->append(known.ref, model::LabelsView(packed), {at_ms, model::stale_nan()});
  }
  TRY_ASSIGN(const auto report, appender->commit());
  std::erase_if(known_, [&](const auto& entry) { return entry.second.written != round_; });
  if (!first) return first;
  return first_refusal(report, appended);
}

std::vector<model::Labels> RuleSeries::release() {
  std::vector<model::Labels> out;
  for (const auto& [packed, known] : known_) out.emplace_back(model::LabelsView(packed));
  known_.clear();
  return out;
}

Status end_series(model::Appendable& store, int64_t at_ms,
                  const std::vector<model::Labels>& ended) {
  if (ended.empty()) return {};
  const auto appender = store.appender();
  for (const model::Labels& labels : ended)
    (void)appender->append(model::kNoSeries, labels, {at_ms, model::stale_nan()});
  TRY(appender->commit());
  return {};
}

}  // namespace binnacle::watch::rules
