#include "query/promql/info_function.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_set>

#include <fmt/format.h>

#include "base/check.h"
#include "query/promql/held_rows.h"
#include "query/promql/info_plan.h"

namespace binnacle::query::promql {
namespace {

using model::Matcher;
using model::Matchers;
using model::MatchOp;

constexpr std::array<std::string_view, 2> kIdentifying = {"instance", "job"};
// A regex of more values costs more than the rows that it keeps away; those are dropped here.
constexpr size_t kMaxValuesInMatcher = 500;
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// What info's second argument asks for.
struct Asked {
  Matchers names;  // never empty
  Matchers data;

  explicit Asked(const Call& call) {
    auto matchers = info_matchers(call);
    CHECK(matchers.has_value());  // what it adds is right
    for (Matcher& matcher : *matchers)
      (matcher.name() == model::kMetricName ? names : data).push_back(std::move(matcher));
  }

  bool is_info_name(std::string_view name) const {
    return std::ranges::all_of(names, [&](const Matcher& m) { return m.matches(name); });
  }
  bool takes_label(std::string_view name) const {
    return data.empty() ||
           std::ranges::any_of(data, [&](const auto& m) { return m.name() == name; });
  }
  bool needs_a_match() const {
    return !std::ranges::all_of(data, [](const Matcher& m) { return m.matches_empty(); });
  }
};

// The values of instance and job that base rows have.
class IdentifyingValues {
 public:
  void add(model::LabelsView labels) {
    for (size_t i = 0; i < kIdentifying.size(); ++i) {
      if (const auto value = labels.get(kIdentifying[i]); !value.empty()) {
        values_[i].emplace(value);
      }
    }
  }
  bool empty() const { return values_[0].empty() && values_[1].empty(); }

  void add_matchers(Matchers& out) const {
    for (size_t i = 0; i < kIdentifying.size(); ++i) {
      if (values_[i].empty() || values_[i].size() > kMaxValuesInMatcher) continue;
      std::string regex;
      for (const std::string& value : values_[i]) {
        if (!regex.empty()) regex += '|';
        regex += re2::RE2::QuoteMeta(value);
      }
      // Values too long for one regex: the rows are dropped here, too.
      auto matcher = Matcher::create(MatchOp::kRegex, std::string(kIdentifying[i]), regex);
      if (matcher) out.push_back(std::move(*matcher));
    }
  }
  bool have(model::LabelsView labels) const {
    for (size_t i = 0; i < kIdentifying.size(); ++i) {
      if (values_[i].empty()) continue;
      if (!values_[i].contains(std::string(labels.get(kIdentifying[i])))) return false;
    }
    return true;
  }

 private:
  std::array<std::unordered_set<std::string>, kIdentifying.size()> values_;
};

// Info series of one name, instance and job: at each step at most one of them holds.
struct InfoGroup {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> chosen;  // one for each step: a row, or kNone
};

class Info final : public MadeRows {
 public:
  Info(const Call& call, RowSourcePtr base, SelectInfo select, EvalContext& context)
      : asked_(call),
        base_source_(std::move(base)),
        select_(std::move(select)),
        context_(context),
        held_(context.meter) {}

 private:
  Result<std::vector<OwnedRow>> make() override {
    TRY_ASSIGN(base_, hold_rows(*base_source_, held_));
    base_source_.reset();
    TRY(read_info());
    TRY(choose_rows());
    RowsByLabels out;
    for (OwnedRow& row : base_) {
      TRY(context_.meter.work(row.values.size() + names_.size()));
      TRY(held_.add(bytes_of_key(row.labels)));
      if (asked_.is_info_name(row.labels.metric_name())) {
        TRY(out.add(std::move(row)));
      } else {
        TRY(enrich(row, out));
      }
    }
    return out.take();
  }

  Status read_info() {
    IdentifyingValues values;
    for (const OwnedRow& row : base_) {
      if (!asked_.is_info_name(row.labels.metric_name())) values.add(row.labels);
    }
    if (values.empty()) return {};
    Matchers matchers;
    values.add_matchers(matchers);
    TRY_ASSIGN(RowSourcePtr rows, select_(matchers));
    TRY_ASSIGN(info_, hold_rows(*rows, held_));
    std::erase_if(info_, [&](const OwnedRow& row) { return !values.have(row.labels); });
    return {};
  }

  static void pack_key(std::string_view name, model::LabelsView labels, std::string& key) {
    key.clear();
    model::append_packed_label(key, model::kMetricName, name);
    for (const std::string_view label : kIdentifying) {
      model::append_packed_label(key, label, labels.get(label));
    }
  }

  Status choose_rows() {
    std::string key;
    std::unordered_set<std::string_view> seen;
    for (uint32_t i = 0; i < info_.size(); ++i) {
      const std::string_view name = info_[i].labels.metric_name();
      if (seen.insert(name).second) names_.emplace_back(name);
      pack_key(name, info_[i].labels, key);
      const auto [at, is_new] = index_.try_emplace(key, static_cast<uint32_t>(groups_.size()));
      if (is_new) {
        TRY(held_.add(sizeof(InfoGroup) + 2 * key.size() +
                      context_.steps.count() * sizeof(uint32_t)));
        groups_.emplace_back();
      }
      groups_[at->second].rows.push_back(i);
    }
    if (groups_.empty()) return {};
    std::vector<bool> base_has_any(context_.steps.count());
    for (const OwnedRow& row : base_) {
      TRY(context_.meter.work(row.values.size()));
      for (size_t i = 0; i < row.values.size(); ++i) {
        if (!is_absent(row.values[i])) base_has_any[i] = true;
      }
    }
    for (InfoGroup& group : groups_) TRY(choose_in(group, base_has_any));
    return {};
  }

  // The row with the newest sample. Steps without base rows are not looked at.
  Status choose_in(InfoGroup& group, const std::vector<bool>& base_has_any) {
    const size_t steps = context_.steps.count();
    group.chosen.assign(steps, kNone);
    for (size_t i = 0; i < steps; ++i) {
      TRY(context_.meter.work(group.rows.size() + 1));
      if (!base_has_any[i]) continue;
      for (const uint32_t row : group.rows) {
        const double time = info_[row].values[i];
        if (is_absent(time)) continue;
        uint32_t& chosen = group.chosen[i];
        if (chosen == kNone || info_[chosen].values[i] < time) {
          chosen = row;
        } else if (info_[chosen].values[i] == time) {
          return fail(Code::kOutOfRange,
                      fmt::format("found duplicate series for info metric: existing {} @ {}, new "
                                  "{} @ {}",
                                  info_[chosen].labels.to_string(), std::llround(time * 1000),
                                  info_[row].labels.to_string(), std::llround(time * 1000)));
        }
      }
    }
    return {};
  }

  // A base row becomes one row for each choice of info rows that holds at some of its steps.
  Status enrich(const OwnedRow& base, RowsByLabels& out) {
    std::vector<const InfoGroup*> groups;
    std::string key;
    for (const std::string& name : names_) {
      pack_key(name, base.labels, key);
      if (const auto at = index_.find(key); at != index_.end()) {
        groups.push_back(&groups_[at->second]);
      }
    }
    std::vector<std::vector<uint32_t>> choices;
    std::vector<OwnedRow> rows;
    std::vector<uint32_t> choice(groups.size());
    size_t at = 0;
    for (size_t i = 0; i < base.values.size(); ++i) {
      if (is_absent(base.values[i])) continue;
      for (size_t k = 0; k < groups.size(); ++k) choice[k] = groups[k]->chosen[i];
      if (at >= choices.size() || choices[at] != choice) {
        TRY(context_.meter.work(choices.size()));
        at = static_cast<size_t>(std::ranges::find(choices, choice) - choices.begin());
      }
      if (at == choices.size()) {
        OwnedRow row{{}, base.drop_name, std::vector<double>(base.values.size(), absent_value())};
        TRY_ASSIGN(row.labels, labels_of(base.labels, choice));
        TRY(held_.add(bytes_of(row.row()) + bytes_of_key(row.labels)));
        rows.push_back(std::move(row));
        choices.push_back(choice);
      }
      rows[at].values[i] = base.values[i];
    }
    for (size_t k = 0; k < rows.size(); ++k) {
      const bool matched = std::ranges::any_of(choices[k], [](uint32_t c) { return c != kNone; });
      if (!matched && asked_.needs_a_match()) continue;
      TRY(out.add(std::move(rows[k])));
    }
    return {};
  }

  Result<model::Labels> labels_of(model::LabelsView base, const std::vector<uint32_t>& choice) {
    model::LabelsBuilder from_info;
    for (const uint32_t row : choice) {
      if (row == kNone) continue;
      for (const model::Label& label : info_[row].labels) {
        if (label.name == model::kMetricName || !asked_.takes_label(label.name)) continue;
        const std::string_view before = from_info.get(label.name);
        if (!before.empty() && before != label.value) {
          return fail(Code::kOutOfRange, fmt::format("conflicting label: {}", label.name));
        }
        if (base.get(label.name).empty()) from_info.set(label.name, label.value);
      }
    }
    model::LabelsBuilder out(base);
    const model::Labels added = from_info.build();
    for (const model::Label& label : added) out.set(label.name, label.value);
    return out.build();
  }

  const Asked asked_;
  RowSourcePtr base_source_;
  const SelectInfo select_;
  EvalContext& context_;
  HeldBytes held_;
  std::vector<OwnedRow> base_;
  std::vector<OwnedRow> info_;
  std::vector<std::string> names_;  // of info metrics, by first appearance
  IndexByLabels index_;             // of groups_ by name, instance and job
  std::vector<InfoGroup> groups_;
};

}  // namespace

RowSourcePtr info(const Call& call, RowSourcePtr base, SelectInfo select, EvalContext& context) {
  return std::make_unique<Info>(call, std::move(base), std::move(select), context);
}

}  // namespace binnacle::query::promql
