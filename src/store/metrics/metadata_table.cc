#include "store/metrics/metadata_table.h"

#include "base/utf8.h"

namespace binnacle::store::metrics {

bool MetadataTable::set(std::string_view metric, const model::MetricMetadata& metadata) {
  model::MetricMetadata kept = metadata;
  if (kept.help.size() > kMaxHelpBytes) {
    kept.help.resize(kMaxHelpBytes);
    while (!kept.help.empty() && !is_valid_utf8(kept.help)) kept.help.pop_back();
  }
  MutexLock lock(mu_);
  const auto at = entries_.find(metric);
  if (at == entries_.end()) {
    if (metric.empty() || entries_.size() >= kMaxMetrics) return false;
    entries_.emplace(std::string(metric), std::move(kept));
    return true;
  }
  if (at->second == kept) return false;
  at->second = std::move(kept);
  return true;
}

MetadataTable::Entries MetadataTable::all() const {
  MutexLock lock(mu_);
  return {entries_.begin(), entries_.end()};
}

}  // namespace binnacle::store::metrics
