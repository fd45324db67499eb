#include "collect/discovery/target_groups.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_parse.h"
#include "base/utf8.h"

namespace binnacle::collect::discovery {
namespace {

using nlohmann::json;

constexpr std::string_view kAddress = "__address__";

bool is_label_name(std::string_view name) { return !name.empty() && is_valid_utf8(name); }

std::string group_source(const std::string& source, size_t index) {
  return source.empty() ? std::to_string(index) : fmt::format("{}:{}", source, index);
}

model::Labels address_labels(std::string_view address) { return {{kAddress, address}}; }

model::TargetGroup read_group(const YamlValue& value) {
  model::TargetGroup group;
  YamlMap map(value);
  std::vector<std::string> targets;
  YamlPairs labels;
  map.read("targets", targets);
  map.read("labels", labels);
  map.finish();
  for (const std::string& target : targets) group.targets.push_back(address_labels(target));
  model::LabelsBuilder builder;
  for (const auto& [name, text] : labels) {
    if (!is_label_name(name) || !is_valid_utf8(text)) {
      value.problem("no label in UTF-8", name, "write name and value as text");
    } else {
      builder.set(name, text);
    }
  }
  group.labels = builder.build();
  return group;
}

Unexpected bad(size_t index, std::string_view what) {
  return fail(Code::kInvalidArgument, fmt::format("target groups: [{}]{}", index, what));
}

Result<std::vector<model::Labels>> targets_of(const json& field, size_t index) {
  std::vector<model::Labels> targets;
  if (field.is_null()) return targets;
  if (!field.is_array()) return bad(index, ".targets: a list is wanted");
  for (const json& target : field) {
    if (!target.is_string()) return bad(index, ".targets: only text is a target");
    targets.push_back(address_labels(target.get_ref<const std::string&>()));
  }
  return targets;
}

Result<model::Labels> labels_of(const json& field, size_t index) {
  if (field.is_null()) return model::Labels();
  if (!field.is_object()) return bad(index, ".labels: an object is wanted");
  model::LabelsBuilder builder;
  for (const auto& [name, value] : field.items()) {
    if (name.empty()) return bad(index, ".labels: a label has no name");
    if (!value.is_string()) return bad(index, ".labels." + name + ": only text is a label's value");
    builder.set(name, value.get_ref<const std::string&>());
  }
  return builder.build();
}

Result<model::TargetGroup> group_of(const json& item, size_t index) {
  if (!item.is_object()) return bad(index, ": an object with targets is wanted");
  model::TargetGroup group;
  for (const auto& [name, value] : item.items()) {
    if (name == "targets") {
      TRY_ASSIGN(group.targets, targets_of(value, index));
    } else if (name == "labels") {
      TRY_ASSIGN(group.labels, labels_of(value, index));
    } else {
      return bad(index, ": unknown field " + name + "; only targets and labels are known");
    }
  }
  return group;
}

}  // namespace

std::vector<model::TargetGroup> read_target_groups(const YamlValue& list,
                                                   const std::string& source) {
  std::vector<model::TargetGroup> groups;
  for (const YamlValue& item : list.items()) {
    if (item.is_null()) {
      item.problem("empty target group: fill it in or remove it");
      continue;
    }
    groups.push_back(read_group(item));
    groups.back().source = group_source(source, groups.size() - 1);
  }
  return groups;
}

Result<std::vector<model::TargetGroup>> parse_target_groups(std::string_view text,
                                                            const std::string& source) {
  // Also refuses text that is not UTF-8.
  const json list = parse_json(text);
  if (list.is_discarded()) return fail(Code::kInvalidArgument, "target groups: not JSON");
  std::vector<model::TargetGroup> groups;
  if (list.is_null()) return groups;
  if (!list.is_array()) {
    return fail(Code::kInvalidArgument, "target groups: a list of objects is wanted");
  }
  for (const json& item : list) {
    TRY_ASSIGN(auto group, group_of(item, groups.size()));
    group.source = group_source(source, groups.size());
    groups.push_back(std::move(group));
  }
  return groups;
}

void add_group_label(std::vector<model::TargetGroup>& groups, std::string_view name,
                     std::string_view value) {
  for (model::TargetGroup& group : groups) {
    group.labels = model::LabelsBuilder(group.labels).set(name, value).build();
  }
}

}  // namespace binnacle::collect::discovery
