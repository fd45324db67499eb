// The rules of packaging/rules/, which are inside the binary so that a server has them without
// files. Immutable; any thread. docs/alerts-default.md lists them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watch/rules/rule_file.h"

namespace binnacle::watch::rules {

struct DefaultRuleFile {
  std::string_view name;  // "node.yml"
  std::string_view yaml;
};

std::span<const DefaultRuleFile> default_rule_files();

// All groups of them; each group's file is "default/node.yml". A test holds the files to be good,
// so that an error comes of the options' templates alone.
Result<std::vector<RuleGroup>> default_rules(const RuleFileOptions& options = {});

}  // namespace binnacle::watch::rules
