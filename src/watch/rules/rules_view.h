// The rules that run and what they have come to, for who shows them. Any thread.
#pragma once

#include <vector>

#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {

class RulesView {
 public:
  virtual ~RulesView() = default;
  virtual std::vector<GroupStatus> groups() const = 0;  // by file and name
};

}  // namespace binnacle::watch::rules
