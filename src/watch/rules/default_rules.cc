#include "watch/rules/default_rules.h"

#include <iterator>
#include <string>

namespace binnacle::watch::rules {

Result<std::vector<RuleGroup>> default_rules(const RuleFileOptions& options) {
  std::vector<RuleGroup> all;
  for (const DefaultRuleFile& file : default_rule_files()) {
    TRY_ASSIGN(std::vector<RuleGroup> groups,
               read_rule_file(file.yaml, "default/" + std::string(file.name), options));
    all.insert(all.end(), std::make_move_iterator(groups.begin()),
               std::make_move_iterator(groups.end()));
  }
  return all;
}

}  // namespace binnacle::watch::rules
