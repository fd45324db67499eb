#include "watch/alerts/matchers_yaml.h"

#include <set>
#include <string>

#include "watch/alerts/matcher_text.h"

namespace binnacle::watch::alerts {

void read_matcher_list(YamlMap& map, std::string_view name, model::Matchers& out) {
  const auto list = map.field(name);
  if (!list) return;
  for (const YamlValue& item : list->items()) {
    const auto text = item.text();
    if (!text) continue;
    auto matchers = parse_matchers(*text);
    if (!matchers) {
      item.problem(matchers.error().message);
      continue;
    }
    for (model::Matcher& matcher : *matchers) out.push_back(std::move(matcher));
  }
}

void read_matcher_map(YamlMap& map, std::string_view name, model::MatchOp op,
                      model::Matchers& out) {
  const auto field = map.field(name);
  if (!field) return;
  YamlMap entries(*field);
  for (const std::string& label : entries.names()) {
    const auto at = entries.take(label);
    if (!model::is_legacy_label_name(label)) {
      at->problem("no label name", label,
                  "letters, digits and underscores; write other names in `matchers`, in quotes");
      continue;
    }
    if (at->is_null() && op == model::MatchOp::kRegex) {
      at->problem("a regex is missing");
      continue;
    }
    auto text = at->text();
    if (!text) continue;
    // Alertmanager writes the anchors into the matcher, and so into the keys of routes and groups.
    if (op == model::MatchOp::kRegex) *text = "^(?:" + *text + ")$";
    auto matcher = model::Matcher::create(op, label, std::move(*text));
    if (!matcher) {
      at->problem(matcher.error().message);
    } else {
      out.push_back(std::move(*matcher));
    }
  }
}

std::vector<std::string> read_label_names(const YamlValue& list) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const YamlValue& item : list.items()) {
    auto name = item.text();
    if (!name) continue;
    if (name->empty()) {
      item.problem("a label name is empty");
    } else if (!seen.insert(*name).second) {
      item.problem("this label stands twice", *name, "keep one");
    } else {
      out.push_back(std::move(*name));
    }
  }
  return out;
}

}  // namespace binnacle::watch::alerts
