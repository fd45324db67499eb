// Type, help and unit of metrics by name: the latest word holds. Bounded; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "model/sample.h"

namespace binnacle::store::metrics {

class MetadataTable {
 public:
  static constexpr size_t kMaxMetrics = 200'000;
  static constexpr size_t kMaxHelpBytes = 4096;
  static constexpr size_t kMaxUnitBytes = 256;

  // True when it is news. What is beyond the bounds is cut or left out.
  bool set(std::string_view metric, const model::MetricMetadata& metadata) EXCLUDES(mu_);
  using Entries = std::vector<std::pair<std::string, model::MetricMetadata>>;
  Entries all() const EXCLUDES(mu_);  // by name
  // What a metadata record of the log or of a snapshot says.
  Status restore(std::string_view record);

 private:
  mutable Mutex mu_;
  std::map<std::string, model::MetricMetadata, std::less<>> entries_ GUARDED_BY(mu_);
};

}  // namespace binnacle::store::metrics
