// Which alerts keep others from being told: the inhibition rules of one config over the alerts that
// are active. A rule's sources are indexed by the values of its `equal` labels, and rules by an
// equality that each of their sides asks for, so that a question costs a few look-ups whatever the
// number of alerts. Pure state, no clock; owned by one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/labels.h"
#include "watch/alerts/alert_config.h"

namespace binnacle::watch::alerts {

class Inhibitor {
 public:
  explicit Inhibitor(std::vector<InhibitRule> rules);

  // An alert fires or is renewed. From `ends_at_ms` on it inhibits nothing; 0: until it is removed.
  void set(uint64_t fingerprint, const model::Labels& labels, int64_t ends_at_ms);
  // It is resolved or forgotten; fine when it was never set.
  void remove(uint64_t fingerprint);

  // The fingerprint of an alert that inhibits one with these labels: of the first rule that has
  // any, the lowest. A missing label equals an empty one. An alert that matches both sides of a
  // rule is not inhibited by another that does, so none inhibits itself.
  std::optional<uint64_t> inhibited_by(model::LabelsView alert, int64_t now_ms) const;

  size_t sources() const { return sources_.size(); }  // active alerts that match a rule's source

 private:
  using EndsByFingerprint = std::map<uint64_t, int64_t>;
  struct Sources {
    EndsByFingerprint one_sided;
    EndsByFingerprint both_sided;  // targets of the same rule as well
  };
  struct Rule {
    InhibitRule rule;
    std::unordered_map<std::string, Sources> by_equal;  // by the values of the equal labels
  };

  // Which rules may match a set of labels on one of their sides: each rule stands under the
  // equality of that side that the fewest others share. Fixed after construction.
  class SideIndex {
   public:
    SideIndex(const std::vector<InhibitRule>& rules, model::Matchers InhibitRule::*side);
    std::vector<size_t> candidates(model::LabelsView labels) const;  // in order

   private:
    std::unordered_map<std::string, std::vector<size_t>> by_label_;
    std::vector<size_t> others_;  // rules without an equality
  };
  struct Source {
    model::Labels labels;
    std::vector<size_t> rules;
  };

  static std::string equal_key(const InhibitRule& rule, model::LabelsView labels);
  std::optional<uint64_t> ask(const Rule& rule, model::LabelsView alert, int64_t now_ms) const;

  SideIndex by_source_;
  SideIndex by_target_;
  std::vector<Rule> rules_;
  std::unordered_map<uint64_t, Source> sources_;
};

}  // namespace binnacle::watch::alerts
