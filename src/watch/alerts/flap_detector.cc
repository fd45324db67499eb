#include "watch/alerts/flap_detector.h"

namespace binnacle::watch::alerts {

bool FlapDetector::changed(uint64_t fingerprint, int64_t now_ms) {
  if (most_ == 0) return false;
  Record& record = records_[fingerprint];
  record.changes.push_back(now_ms);
  drop_old(record, now_ms);
  if (record.flapping || record.changes.size() <= most_) return false;
  record.flapping = true;
  return true;
}

bool FlapDetector::flapping(uint64_t fingerprint) const {
  const Record* record = find(fingerprint);
  return record != nullptr && record->flapping;
}

FlapDetector::Calm FlapDetector::take_calm(int64_t now_ms) {
  Calm result;
  for (auto it = records_.begin(); it != records_.end();) {
    Record& record = it->second;
    drop_old(record, now_ms);
    if (record.flapping && (most_ == 0 || record.changes.size() <= most_ / 2)) {
      record.flapping = false;
      result.calm.push_back(it->first);
    }
    if (!record.changes.empty() || record.flapping) {
      ++it;
      continue;
    }
    result.forgotten.push_back(it->first);
    it = records_.erase(it);
  }
  return result;
}

const FlapDetector::Record* FlapDetector::find(uint64_t fingerprint) const {
  const auto it = records_.find(fingerprint);
  return it == records_.end() ? nullptr : &it->second;
}

void FlapDetector::drop_old(Record& record, int64_t now_ms) const {
  while (!record.changes.empty() &&
         (record.changes.front() <= now_ms - window_ms_ || record.changes.size() > most_ + 1)) {
    record.changes.pop_front();
  }
}

}  // namespace binnacle::watch::alerts
