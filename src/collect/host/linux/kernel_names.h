// From a name as the kernel writes it to the Metric it is emitted under, for files whose fields
// differ from kernel to kernel. A name is translated once and then looked up. One thread; Metrics
// belong to the Emitter.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "collect/host/metric.h"

namespace binnacle::collect::host {

class KernelNames {
 public:
  static constexpr size_t kMaxNames = 4096;  // more than that is no file of the kernel's

  // What `translate` answered for that name the first time; null: not wanted.
  const Metric* find(std::string_view raw, auto&& translate) {
    if (const auto found = metrics_.find(raw); found != metrics_.end()) return found->second;
    if (metrics_.size() >= kMaxNames) return nullptr;
    const Metric* const metric = translate(raw);
    metrics_.emplace(raw, metric);
    return metric;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  std::unordered_map<std::string, const Metric*, Hash, std::equal_to<>> metrics_;
};

}  // namespace binnacle::collect::host
