// A scrape target as discovery hands it out, before relabelling.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/labels.h"

namespace binnacle::model {

struct TargetGroup {
  std::string source;           // names the group; a later one of the same source replaces it
  std::vector<Labels> targets;  // each has __address__
  Labels labels;                // common to all
};

class TargetSource {
 public:
  virtual ~TargetSource() = default;
  using Update = std::function<void(std::vector<TargetGroup>)>;
  virtual void start(
      Update update) = 0;  // `update` gets changed groups, from a thread of the source
  virtual void stop() = 0;
};

}  // namespace binnacle::model
