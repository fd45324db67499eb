#include "watch/alerts/inhibitor.h"

#include <algorithm>

namespace binnacle::watch::alerts {
namespace {

std::string label_key(std::string_view name, std::string_view value) {
  std::string out;
  model::append_packed_label(out, name, value);
  return out;
}

// An equality with a value, which labels cannot fulfil without having the label.
bool is_decisive(const model::Matcher& matcher) {
  return matcher.op() == model::MatchOp::kEqual && !matcher.value().empty();
}

std::optional<uint64_t> first_active(const std::map<uint64_t, int64_t>& sources, int64_t now_ms) {
  for (const auto& [fingerprint, ends_at_ms] : sources) {
    if (ends_at_ms == 0 || ends_at_ms > now_ms) return fingerprint;
  }
  return std::nullopt;
}

}  // namespace

Inhibitor::SideIndex::SideIndex(const std::vector<InhibitRule>& rules,
                                model::Matchers InhibitRule::*side) {
  std::unordered_map<std::string, size_t> uses;
  for (const InhibitRule& rule : rules) {
    for (const model::Matcher& matcher : rule.*side) {
      if (is_decisive(matcher)) ++uses[label_key(matcher.name(), matcher.value())];
    }
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    std::string best;
    for (const model::Matcher& matcher : rules[i].*side) {
      if (!is_decisive(matcher)) continue;
      std::string key = label_key(matcher.name(), matcher.value());
      if (best.empty() || uses[key] < uses[best]) best = std::move(key);
    }
    (best.empty() ? others_ : by_label_[best]).push_back(i);
  }
}

std::vector<size_t> Inhibitor::SideIndex::candidates(model::LabelsView labels) const {
  std::vector<size_t> out = others_;
  if (by_label_.empty()) return out;
  for (const model::Label& label : labels) {
    const auto found = by_label_.find(label_key(label.name, label.value));
    if (found == by_label_.end()) continue;
    out.insert(out.end(), found->second.begin(), found->second.end());
  }
  std::ranges::sort(out);
  return out;
}

Inhibitor::Inhibitor(std::vector<InhibitRule> rules)
    : by_source_(rules, &InhibitRule::source), by_target_(rules, &InhibitRule::target) {
  for (InhibitRule& rule : rules) rules_.push_back({std::move(rule), {}});
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
  std::vector<size_t> matching;
  for (const size_t index : by_source_.candidates(labels)) {
    Rule& one = rules_[index];
    if (!model::matches_all(one.rule.source, labels)) continue;
    matching.push_back(index);
    Sources& sources = one.by_equal[equal_key(one.rule, labels)];
    const bool both = model::matches_all(one.rule.target, labels);
    (both ? sources.both_sided : sources.one_sided)[fingerprint] = ends_at_ms;
  }
  if (matching.empty()) return;
  sources_.insert_or_assign(fingerprint, Source{labels, std::move(matching)});
}

void Inhibitor::remove(uint64_t fingerprint) {
  const auto source = sources_.find(fingerprint);
  if (source == sources_.end()) return;
  for (const size_t index : source->second.rules) {
    auto& by_equal = rules_[index].by_equal;
    const auto found = by_equal.find(equal_key(rules_[index].rule, source->second.labels));
    if (found == by_equal.end()) continue;
    found->second.one_sided.erase(fingerprint);
    found->second.both_sided.erase(fingerprint);
    if (found->second.one_sided.empty() && found->second.both_sided.empty()) by_equal.erase(found);
  }
  sources_.erase(source);
}

std::optional<uint64_t> Inhibitor::ask(const Rule& rule, model::LabelsView alert,
                                       int64_t now_ms) const {
  if (rule.by_equal.empty()) return std::nullopt;
  // First what costs no regex.
  const auto found = rule.by_equal.find(equal_key(rule.rule, alert));
  if (found == rule.by_equal.end()) return std::nullopt;
  if (!model::matches_all(rule.rule.target, alert)) return std::nullopt;
  const auto one_sided = first_active(found->second.one_sided, now_ms);
  if (model::matches_all(rule.rule.source, alert)) return one_sided;
  const auto both_sided = first_active(found->second.both_sided, now_ms);
  if (one_sided && both_sided) return std::min(*one_sided, *both_sided);
  return one_sided ? one_sided : both_sided;
}

std::optional<uint64_t> Inhibitor::inhibited_by(model::LabelsView alert, int64_t now_ms) const {
  for (const size_t index : by_target_.candidates(alert)) {
    if (const auto by = ask(rules_[index], alert, now_ms)) return by;
  }
  return std::nullopt;
}

}  // namespace binnacle::watch::alerts
