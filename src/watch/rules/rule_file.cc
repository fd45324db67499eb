#include "watch/rules/rule_file.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "base/utf8.h"
#include "base/yaml_reader.h"
#include "model/labels.h"
#include "query/promql/parser.h"

namespace binnacle::watch::rules {
namespace {

using query::promql::Expr;

bool is_label_name(std::string_view name) {
  return !name.empty() && name != model::kMetricName && is_valid_utf8(name);
}

// Reads one file. Lives for one reading.
class Reader {
 public:
  Reader(const std::string& file, const RuleFileOptions& options)
      : file_(file), options_(options) {}

  std::vector<RuleGroup> read(const YamlValue& root) {
    YamlMap map(root);
    std::vector<RuleGroup> groups;
    if (const auto list = map.field("groups")) {
      for (const YamlValue& entry : list->items()) groups.push_back(read_group(entry));
    }
    map.finish();
    return groups;
  }

 private:
  RuleGroup read_group(const YamlValue& value) {
    YamlMap map(value);
    RuleGroup group;
    group.file = file_;
    map.read("name", group.name);
    if (group.name.empty()) {
      value.problem("a group needs a name");
    } else if (!names_.insert(group.name).second) {
      value.problem("this name is taken already", group.name,
                    "each group of a file needs a name of its own");
    }
    map.duration("interval", group.interval_ms);
    if (const auto offset = map.field("query_offset"))
      group.query_offset_ms = offset->duration_ms();
    uint64_t limit = 0;
    map.read("limit", limit);
    group.limit = limit;
    group.labels = read_labels(map);
    if (const auto list = map.field("rules")) {
      for (const YamlValue& entry : list->items()) group.rules.push_back(read_rule(entry));
    }
    map.finish();
    return group;
  }

  Rule read_rule(const YamlValue& value) {
    YamlMap map(value);
    Rule rule;
    rule.line = value.node().line;
    read_name(map, rule);
    rule.parsed = read_expr(map, "expr", rule.expr);
    if (rule.expr.empty() && !map.field("expr")) value.problem("a rule needs an expr");
    map.duration("for", rule.for_ms);
    map.duration("keep_firing_for", rule.keep_firing_for_ms);
    rule.labels = read_labels(map);
    rule.annotations = read_annotations(map);
    rule.clear = read_expr(map, "x-clear", rule.clear_expr);
    if (rule.alerting) {
      check_templates(value, rule);
    } else {
      check_recording(value, rule);
    }
    map.finish();
    return rule;
  }

  void read_name(YamlMap& map, Rule& rule) {
    std::string record;
    std::string alert;
    map.read("record", record);
    map.read("alert", alert);
    rule.alerting = record.empty() && !alert.empty();
    rule.name = rule.alerting ? alert : record;
    if (!record.empty() && !alert.empty()) {
      map.value().problem("only one of record and alert may be set");
    } else if (rule.name.empty()) {
      map.value().problem("one of record and alert must be set");
    }
  }

  std::shared_ptr<const Expr> read_expr(YamlMap& map, std::string_view key, std::string& text) {
    const auto value = map.field(key);
    if (!value) return nullptr;
    text = value->text().value_or("");
    if (text.empty()) {
      value->problem("an expression is wanted, not nothing");
      return nullptr;
    }
    auto parsed = query::promql::parse(text, {.experimental = options_.experimental});
    if (!parsed) {
      value->problem("could not parse expression: " + parsed.error().message);
      return nullptr;
    }
    return std::shared_ptr<const Expr>(std::move(*parsed));
  }

  static TextPairs read_labels(YamlMap& map) {
    const auto value = map.field("labels");
    if (!value) return {};
    TextPairs labels = value->string_map();
    for (const auto& [name, text] : labels) {
      if (!is_label_name(name)) {
        value->problem("invalid label name", name, "a label needs a name in UTF-8, not __name__");
      }
      if (!is_valid_utf8(text)) value->problem("invalid label value", name, "write it in UTF-8");
    }
    std::ranges::sort(labels);
    return labels;
  }

  static TextPairs read_annotations(YamlMap& map) {
    const auto value = map.field("annotations");
    if (!value) return {};
    TextPairs annotations = value->string_map();
    for (const auto& [name, text] : annotations) {
      if (name.empty() || !is_valid_utf8(name)) {
        value->problem("invalid annotation name", name, "an annotation needs a name in UTF-8");
      }
    }
    std::ranges::sort(annotations);
    return annotations;
  }

  void check_templates(const YamlValue& value, const Rule& rule) const {
    if (!options_.check_template) return;
    const auto check = [&](std::string_view kind, const TextPairs& pairs) {
      for (const auto& [name, text] : pairs) {
        if (const auto good = options_.check_template(rule.name, text); !good)
          value.problem(fmt::format("{} \"{}\": {}", kind, name, good.error().message));
      }
    };
    check("label", rule.labels);
    check("annotation", rule.annotations);
  }

  static void check_recording(const YamlValue& value, const Rule& rule) {
    if (rule.name.empty()) return;
    if (!rule.annotations.empty()) value.problem("a recording rule has no annotations");
    if (rule.for_ms != 0) value.problem("a recording rule has no for");
    if (rule.keep_firing_for_ms != 0) value.problem("a recording rule has no keep_firing_for");
    if (rule.clear != nullptr) value.problem("a recording rule has no x-clear");
    if (!is_valid_utf8(rule.name)) {
      value.problem("invalid recording rule name", rule.name, "write it in UTF-8");
    } else if (rule.name.find_first_of("{}") != std::string::npos) {
      value.problem("invalid recording rule name", rule.name,
                    "braces belong into expr, not into a name");
    }
  }

  const std::string& file_;
  const RuleFileOptions& options_;
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<RuleGroup>> read_rule_file(std::string_view yaml, const std::string& file,
                                              const RuleFileOptions& options) {
  YamlDocument document(file, yaml);
  std::vector<RuleGroup> groups = Reader(file, options).read(document.root());
  TRY(document.status());
  return groups;
}

TextPairs labels_of(const RuleGroup& group, const Rule& rule) {
  std::map<std::string, std::string> labels(group.labels.begin(), group.labels.end());
  for (const auto& [name, value] : rule.labels) labels[name] = value;
  return {labels.begin(), labels.end()};
}

std::vector<std::string> duplicate_rules(const std::vector<RuleGroup>& groups) {
  std::map<std::tuple<std::string, TextPairs>, size_t> seen;
  std::vector<std::string> out;
  for (const RuleGroup& group : groups) {
    for (const Rule& rule : group.rules) {
      if (++seen[{rule.name, labels_of(group, rule)}] != 2) continue;
      out.push_back(fmt::format("{}:{}: {} (group {}) has the name and the labels of a rule above",
                                group.file, rule.line, rule.name, group.name));
    }
  }
  return out;
}

}  // namespace binnacle::watch::rules
