#include "watch/alerts/inhibit_yaml.h"

#include <fmt/format.h>

#include <optional>

#include "watch/alerts/matcher_text.h"
#include "watch/alerts/matchers_yaml.h"

namespace binnacle::watch::alerts {
namespace {

// Circles are looked for among so many rules; the work grows with the square.
constexpr size_t kMaxRulesCompared = 500;

InhibitRule read_rule(const YamlValue& value) {
  YamlMap map(value);
  InhibitRule rule;
  read_matcher_map(map, "source_match", model::MatchOp::kEqual, rule.source);
  read_matcher_map(map, "source_match_re", model::MatchOp::kRegex, rule.source);
  read_matcher_list(map, "source_matchers", rule.source);
  read_matcher_map(map, "target_match", model::MatchOp::kEqual, rule.target);
  read_matcher_map(map, "target_match_re", model::MatchOp::kRegex, rule.target);
  read_matcher_list(map, "target_matchers", rule.target);
  if (const auto equal = map.field("equal")) rule.equal = read_label_names(*equal);
  map.known("name");
  map.finish();
  sort_matchers(rule.source);
  sort_matchers(rule.target);
  return rule;
}

// The smallest alert that the matchers' equalities describe; nullopt when the others refuse it, so
// that nothing is known of what they take.
std::optional<model::Labels> example_of(const model::Matchers& matchers) {
  model::LabelsBuilder labels;
  for (const model::Matcher& matcher : matchers) {
    if (matcher.op() == model::MatchOp::kEqual) labels.set(matcher.name(), matcher.value());
  }
  model::Labels out = labels.build();
  return model::matches_all(matchers, out) ? std::optional(std::move(out)) : std::nullopt;
}

// Which rules' sources the target of each rule is for sure.
std::vector<std::vector<size_t>> links(const std::vector<InhibitRule>& rules) {
  std::vector<std::vector<size_t>> out(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto example = example_of(rules[i].target);
    if (!example || example->empty()) continue;
    for (size_t j = 0; j < rules.size(); ++j) {
      if (i != j && model::matches_all(rules[j].source, *example)) out[i].push_back(j);
    }
  }
  return out;
}

// Whether a way along the links leads from `at` back to `start`.
bool leads_back(const std::vector<std::vector<size_t>>& next, size_t at, size_t start,
                std::vector<bool>& seen) {
  for (const size_t to : next[at]) {
    if (to == start) return true;
    if (seen[to]) continue;
    seen[to] = true;
    if (leads_back(next, to, start, seen)) return true;
  }
  return false;
}

void warn_of_circles(const std::vector<YamlValue>& items, const std::vector<InhibitRule>& rules) {
  if (rules.size() > kMaxRulesCompared) return;
  const auto next = links(rules);
  for (size_t i = 0; i < rules.size(); ++i) {
    std::vector<bool> seen(rules.size(), false);
    if (leads_back(next, i, i, seen)) {
      items[i].warn(
          "what this rule inhibits is the source of rules that inhibit its own source: while both "
          "are active nobody is told of either");
    }
  }
}

void warn_of_both_sides(const YamlValue& item, const InhibitRule& rule) {
  const auto source = example_of(rule.source);
  if (!source || !model::matches_all(rule.target, *source)) return;
  item.warn(
      "sources of this rule are its targets, too: an alert that matches both sides is not "
      "inhibited by another that does");
}

}  // namespace

std::vector<InhibitRule> read_inhibit_rules(const YamlValue& list) {
  std::vector<InhibitRule> out;
  const std::vector<YamlValue> items = list.items();
  for (const YamlValue& item : items) {
    out.push_back(read_rule(item));
    warn_of_both_sides(item, out.back());
  }
  warn_of_circles(items, out);
  return out;
}

}  // namespace binnacle::watch::alerts
