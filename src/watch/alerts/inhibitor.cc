#include "watch/alerts/inhibitor.h"

#include <algorithm>

namespace binnacle::watch::alerts {
namespace {

std::string label_key(std::string_view name, std::string_view value) {
  std::string out;
  model::append_packed_label(out, name, value);
  return out;
}

// An equality with a value, which an alert cannot fulfil without having the label.
const model::Matcher* decisive(const model::Matchers& matchers) {
  const auto found = std::ranges::find_if(matchers, [](const model::Matcher& matcher) {
    return matcher.op() == model::MatchOp::kEqual && !matcher.value().empty();
  });
  return found == matchers.end() ? nullptr : &*found;
}

std::optional<uint64_t> first_active(const std::map<uint64_t, int64_t>& sources, int64_t now_ms) {
  for (const auto& [fingerprint, ends_at_ms] : sources) {
    if (ends_at_ms == 0 || ends_at_ms > now_ms) return fingerprint;
  }
  return std::nullopt;
}

}  // namespace

Inhibitor::Inhibitor(std::vector<InhibitRule> rules) {
  for (InhibitRule& rule : rules) {
    if (const model::Matcher* matcher = decisive(rule.target)) {
      by_target_label_[label_key(matcher->name(), matcher->value())].push_back(rules_.size());
    } else {
      without_target_label_.push_back(rules_.size());
    }
    rules_.push_back({std::move(rule), {}});
  }
}

std::string Inhibitor::equal_key(const InhibitRule& rule, model::LabelsView labels) {
  std::string out;
  for (const std::string& name : rule.equal) {
    const std::string_view value = labels.get(name);
    out += std::to_string(value.size());
    out += ':';
    out += value;
  }
  return out;
}

void Inhibitor::set(uint64_t fingerprint, const model::Labels& labels, int64_t ends_at_ms) {
  bool is_source = false;
  for (Rule& one : rules_) {
    if (!model::matches_all(one.rule.source, labels)) continue;
    is_source = true;
    Sources& sources = one.by_equal[equal_key(one.rule, labels)];
    const bool both = model::matches_all(one.rule.target, labels);
    (both ? sources.both_sided : sources.one_sided)[fingerprint] = ends_at_ms;
  }
  if (is_source) sources_.insert_or_assign(fingerprint, labels);
}

void Inhibitor::remove(uint64_t fingerprint) {
  const auto source = sources_.find(fingerprint);
  if (source == sources_.end()) return;
  for (Rule& one : rules_) {
    const auto found = one.by_equal.find(equal_key(one.rule, source->second));
    if (found == one.by_equal.end()) continue;
    found->second.one_sided.erase(fingerprint);
    found->second.both_sided.erase(fingerprint);
    if (found->second.one_sided.empty() && found->second.both_sided.empty()) {
      one.by_equal.erase(found);
    }
  }
  sources_.erase(source);
}

std::vector<size_t> Inhibitor::candidates(model::LabelsView alert) const {
  std::vector<size_t> out = without_target_label_;
  if (by_target_label_.empty()) return out;
  for (const model::Label& label : alert) {
    const auto found = by_target_label_.find(label_key(label.name, label.value));
    if (found != by_target_label_.end()) {
      out.insert(out.end(), found->second.begin(), found->second.end());
    }
  }
  std::ranges::sort(out);
  return out;
}

std::optional<uint64_t> Inhibitor::ask(const Rule& rule, model::LabelsView alert,
                                       int64_t now_ms) const {
  if (rule.by_equal.empty() || !model::matches_all(rule.rule.target, alert)) return std::nullopt;
  const auto found = rule.by_equal.find(equal_key(rule.rule, alert));
  if (found == rule.by_equal.end()) return std::nullopt;
  const auto one_sided = first_active(found->second.one_sided, now_ms);
  if (model::matches_all(rule.rule.source, alert)) return one_sided;
  const auto both_sided = first_active(found->second.both_sided, now_ms);
  if (one_sided && both_sided) return std::min(*one_sided, *both_sided);
  return one_sided ? one_sided : both_sided;
}

std::optional<uint64_t> Inhibitor::inhibited_by(model::LabelsView alert, int64_t now_ms) const {
  for (const size_t index : candidates(alert)) {
    if (const auto by = ask(rules_[index], alert, now_ms)) return by;
  }
  return std::nullopt;
}

}  // namespace binnacle::watch::alerts
