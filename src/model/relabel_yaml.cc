#include "model/relabel_yaml.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"

namespace binnacle::model {
namespace {

bool is_label_name(std::string_view name) { return !name.empty() && is_valid_utf8(name); }

bool is_of(RelabelAction action, std::initializer_list<RelabelAction> actions) {
  return std::ranges::find(actions, action) != actions.end();
}

// What an action takes beside its own fields is a mistake: it would change nothing.
void check_unused_fields(const YamlMap& map, const RelabelSpec& spec, std::string_view action) {
  using enum RelabelAction;
  const RelabelSpec defaults;
  const bool any_separator = spec.separator != defaults.separator;
  const bool any_replacement = spec.replacement != defaults.replacement;
  if (is_of(spec.action, {kKeepEqual, kDropEqual}) &&
      (spec.regex != defaults.regex || spec.modulus != 0 || any_separator || any_replacement)) {
    map.value().problem(
        fmt::format("action {} takes source_labels and target_label alone", action));
  }
  if (is_of(spec.action, {kLabelDrop, kLabelKeep}) &&
      (!spec.source_labels.empty() || !spec.target_label.empty() || spec.modulus != 0 ||
       any_separator || any_replacement)) {
    map.value().problem(fmt::format("action {} takes a regex alone", action));
  }
  if (is_of(spec.action, {kLowercase, kUppercase}) && any_replacement) {
    map.value().problem(fmt::format("action {} takes no replacement", action));
  }
}

void check_names(const YamlMap& map, const RelabelSpec& spec) {
  for (const std::string& name : spec.source_labels) {
    if (!is_label_name(name))
      map.value().problem("no label name in source_labels", name, "name one");
  }
  if (!spec.target_label.empty() && !is_valid_utf8(spec.target_label)) {
    map.value().problem("target_label is no label name", spec.target_label, "write it in UTF-8");
  }
  if (spec.action == RelabelAction::kLabelMap && !is_label_name(spec.replacement)) {
    map.value().problem("replacement of a labelmap is no label name", spec.replacement, "name one");
  }
}

std::optional<RelabelRule> read_rule(const YamlValue& value) {
  if (value.is_null()) {
    value.problem("empty relabelling rule: fill it in or remove it");
    return std::nullopt;
  }
  YamlMap map(value);
  RelabelSpec spec;
  std::string action = "replace";
  map.read("source_labels", spec.source_labels);
  map.read("separator", spec.separator);
  map.read("regex", spec.regex);
  map.read("modulus", spec.modulus);
  map.read("target_label", spec.target_label);
  map.read("replacement", spec.replacement);
  map.read("action", action);
  map.finish();
  std::ranges::transform(action, action.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto known = relabel_action_from_name(action);
  if (!known) {
    map.take("action")->problem("unknown action", action,
                                "one of replace, keep, drop, keepequal, dropequal, hashmod, "
                                "labelmap, labeldrop, labelkeep, lowercase, uppercase");
    return std::nullopt;
  }
  spec.action = *known;
  check_unused_fields(map, spec, action);
  check_names(map, spec);
  auto rule = RelabelRule::create(std::move(spec));
  if (rule) return std::move(*rule);
  value.problem(rule.error().message);
  return std::nullopt;
}

}  // namespace

std::vector<RelabelRule> read_relabel_rules(const YamlValue& list) {
  std::vector<RelabelRule> rules;
  for (const YamlValue& item : list.items()) {
    if (auto rule = read_rule(item)) rules.push_back(std::move(*rule));
  }
  return rules;
}

}  // namespace binnacle::model
