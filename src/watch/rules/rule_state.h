// The alerts of all rules in the state file, so that a crash forgets none: written as they change,
// read once at the start. Also until when rules have run, which tells how long nobody looked. Any
// thread but I/O threads. Schema: docs/formats/state.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/state/migrations.h"
#include "store/state/state_store.h"
#include "watch/rules/group_evaluator.h"

namespace binnacle::watch::rules {

// Numbers 400 to 499.
std::span<const store::state::Migration> rule_migrations();

struct RestoredAlert {
  std::string file;
  std::string group;
  std::string rule;  // as StoredAlert's
  ActiveAlert alert;
};

class RuleState {
 public:
  explicit RuleState(store::state::StateStore& store) : store_(store) {}  // outlives it

  struct Load {
    std::vector<RestoredAlert> alerts;
    int64_t ran_until_ms = 0;  // 0: rules never ran
  };
  Result<Load> load();

  // One transaction. `ran_until_ms` 0: stays as it was.
  Status write(const RuleGroup& group, std::vector<StoredAlert> changes, int64_t ran_until_ms);
  Status forget_group(const std::string& file, const std::string& group);
  Status forget_all();

 private:
  store::state::StateStore& store_;
};

}  // namespace binnacle::watch::rules
