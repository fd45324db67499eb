// Relabelling as Prometheus defines it: a list of rules rewrites a label set or drops it. Regexes
// are RE2, anchored at both ends. Rules are checked when made, so applying them cannot fail; a set
// that they would make too large ("$1$1", rule after rule) is dropped.
// Source: Prometheus documentation, "relabel_config".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/labels.h"

namespace re2 {
class RE2;
}

namespace binnacle::model {

// Of a text that a rule looks at or writes, and of the labels of a set to which a rule maps further
// ones: far above what a store takes, far below what hurts.
inline constexpr size_t kMaxRelabelledBytes = size_t{64} << 10;
inline constexpr size_t kMaxRelabelledLabels = 4096;

enum class RelabelAction : uint8_t {
  kReplace,
  kKeep,
  kDrop,
  kKeepEqual,
  kDropEqual,
  kHashMod,
  kLabelMap,
  kLabelDrop,
  kLabelKeep,
  kLowercase,
  kUppercase
};

// "keep", "hashmod", ... as they stand in a configuration.
std::optional<RelabelAction> relabel_action_from_name(std::string_view name);

struct RelabelSpec {
  std::vector<std::string> source_labels;
  std::string separator = ";";
  std::string regex = "(.*)";
  uint64_t modulus = 0;  // of kHashMod; not 0 there
  std::string target_label;
  std::string replacement = "$1";  // $1, ${1}, $name, ${name}, $$
  RelabelAction action = RelabelAction::kReplace;
  bool operator==(const RelabelSpec&) const = default;
};

class RelabelRule {
 public:
  static Result<RelabelRule> create(RelabelSpec spec);

  // False: the label set is dropped.
  bool apply(LabelsBuilder& labels) const;

  bool operator==(const RelabelRule& other) const { return spec_ == other.spec_; }

 private:
  explicit RelabelRule(RelabelSpec spec) : spec_(std::move(spec)) {}
  // nullopt: longer than a rule looks at.
  std::optional<std::string> source_value(const LabelsBuilder& labels) const;
  // The template with this match's groups put in; `subject` was matched whole. What is too long
  // ends a little beyond the bound.
  std::string expand(const std::string& text, std::string_view subject) const;
  // False: it would be too large.
  bool replace(LabelsBuilder& labels, const std::string& value) const;
  bool map_names(LabelsBuilder& labels) const;

  // Fixed after construction.
  RelabelSpec spec_;
  std::shared_ptr<const re2::RE2> regex_;  // shared: rules are copied with every target
};

// nullopt when a rule dropped the set.
std::optional<Labels> relabel(const std::vector<RelabelRule>& rules, LabelsView labels);

}  // namespace binnacle::model
