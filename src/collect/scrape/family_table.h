// Type, help and unit of the metrics of one target, as its pages last said. Bounded: what is beyond
// kMaxFamilies is left out, help beyond kMaxTextBytes cut. The target's pages write it, the API
// reads it: any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "collect/exposition/exposition.h"
#include "model/sample.h"

namespace binnacle::collect::scrape {

class FamilyTable {
 public:
  static constexpr size_t kMaxFamilies = 20'000;
  static constexpr size_t kMaxTextBytes = 4096;
  static constexpr uint32_t kKeptPages = 10;  // without a word of the family

  using List = std::vector<std::pair<std::string, model::MetricMetadata>>;

  // Of kType, kHelp or kUnit.
  void note(const exposition::Entry& entry, uint32_t page) EXCLUDES(mu_);
  // What has changed since the last call; also forgets what no page speaks of any more.
  List take_news(uint32_t page) EXCLUDES(mu_);
  List all() const EXCLUDES(mu_);  // by name

 private:
  struct Family {
    model::MetricMetadata metadata;
    uint32_t page = 0;
    bool news = false;
  };

  mutable Mutex mu_;
  std::map<std::string, Family, std::less<>> families_ GUARDED_BY(mu_);
  bool any_news_ GUARDED_BY(mu_) = false;
};

}  // namespace binnacle::collect::scrape
