#include "store/metrics/metadata_table.h"

#include "store/metrics/wal_records.h"

namespace binnacle::store::metrics {
namespace {

// Not within a character of UTF-8; other bytes stay as they are.
void cut(std::string& text, size_t bytes) {
  constexpr size_t kMostFurtherBytes = 3;
  if (text.size() <= bytes) return;
  const auto goes_on = [&](size_t at) { return (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80; };
  size_t end = bytes;
  while (end > 0 && bytes - end < kMostFurtherBytes && goes_on(end)) --end;
  text.resize(goes_on(end) ? bytes : end);
}

}  // namespace

bool MetadataTable::set(std::string_view metric, const model::MetricMetadata& metadata) {
  model::MetricMetadata kept = metadata;
  cut(kept.help, kMaxHelpBytes);
  cut(kept.unit, kMaxUnitBytes);
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

Status MetadataTable::restore(std::string_view record) {
  std::vector<WalMetadata> words;
  TRY(decode_metadata(record, words));
  for (const WalMetadata& one : words)
    set(one.metric, {one.type, std::string(one.help), std::string(one.unit)});
  return {};
}

}  // namespace binnacle::store::metrics
