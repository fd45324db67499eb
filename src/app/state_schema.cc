#include "app/state_schema.h"

#include "store/access/access_schema.h"
#include "watch/alerts/alert_rows.h"
#include "watch/health/health_history.h"
#include "watch/rules/rule_state.h"

namespace binnacle::app {

std::vector<store::state::Migration> all_migrations() {
  std::vector<store::state::Migration> all;
  for (const auto list : {store::state::state_migrations(), store::access::access_migrations(),
                          watch::health::health_migrations(), watch::rules::rule_migrations(),
                          watch::alerts::alert_migrations()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

std::string state_path(const std::string& data_folder) { return data_folder + "/state.db"; }

}  // namespace binnacle::app
