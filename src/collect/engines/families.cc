#include "collect/engines/families.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "collect/exposition/float_reader.h"

namespace binnacle::collect::engines {
namespace {

constexpr std::string_view kBucketLabel = "le";

template <typename T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_copy_label(const EngineTraits& engine, std::string_view name) {
  return std::ranges::any_of(engine.copies,
                             [&](const CopyLabel& copy) { return copy.name == name; });
}

CopyRank rank_of(const EngineTraits& engine, model::LabelsView labels) {
  CopyRank rank;
  rank.fill(std::numeric_limits<int64_t>::min());  // without the label comes first
  for (size_t i = 0; i < engine.copies.size(); ++i) {
    const auto value = number<int64_t>(labels.get(engine.copies[i].name));
    if (value) rank[i] = engine.copies[i].highest_wins ? -*value : *value;
  }
  return rank;
}

// A bucket's bound in the canonical unit; as the engine writes it where that is its own.
std::string bound_text(std::string_view bound, double factor) {
  if (factor == 1) return std::string(bound);
  const auto value = number<double>(bound);
  if (!value) return std::string(bound);  // "+Inf"
  // Nine digits: 0.1 of 100 ms, not 0.1 and what the multiplication leaves behind it.
  return exposition::openmetrics_float(std::round(*value * factor * 1e9) / 1e9);
}

// Nothing where an info series' labels hold no numbers.
std::optional<double> scale_of(const Match& match, model::LabelsView labels) {
  const Alias& alias = *match.alias;
  if (alias.part == Part::kLabels) {
    const auto a = number<double>(labels.get(alias.factor_a));
    const auto b = number<double>(labels.get(alias.factor_b));
    if (!a || !b) return std::nullopt;
    return *a * *b;
  }
  // Buckets and counts of a histogram count requests, whatever the unit.
  if (match.role == Role::kBucket || match.role == Role::kCount) return 1;
  return unit_factor(alias.unit);
}

auto order_key(const Contribution& one) {
  return std::tuple(one.alias->choice, one.alias, one.group, one.rank);
}

uint32_t bit(Part part) { return 1U << static_cast<unsigned>(part); }
uint32_t bit(Role role) { return 1U << static_cast<unsigned>(role); }

// The parts that a choice of a series is made of, in the engine's table.
uint32_t parts_of(const AliasTable& table, Series series, uint8_t choice) {
  uint32_t parts = 0;
  for (const Alias& row : table.rows) {
    if (row.series == series && row.choice == choice) parts |= bit(row.part);
  }
  return parts;
}

uint32_t roles_of(const AliasTable& table, Series series, uint8_t choice) {
  if (canonical(series).type != model::MetricType::kHistogram) return bit(Role::kValue);
  const uint32_t counted = bit(Role::kSum) | bit(Role::kCount);
  const bool plain = (parts_of(table, series, choice) & bit(Part::kAsSum)) != 0;
  return plain ? counted : counted | bit(Role::kBucket);
}

struct Amount {
  double sum = 0;
  size_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double mean() const { return sum / static_cast<double>(count); }
};

// Adds up one choice of an output, one of each group of copies.
std::optional<double> value_of(const Output& output, Combine combine, uint8_t choice,
                               const std::vector<Input>& inputs, uint64_t scrape) {
  Amount main;
  Amount denominator;
  Amount factor;
  const Contribution* last = nullptr;
  for (const Contribution& one : output.contributions) {
    if (one.alias->choice != choice || inputs[one.input].scrape != scrape) continue;
    if (last != nullptr && last->alias == one.alias && last->group == one.group) continue;
    last = &one;
    const double value = inputs[one.input].value * one.scale;
    if (one.alias->part == Part::kDenominator) {
      denominator.add(value);
    } else if (one.alias->part == Part::kFactor) {
      factor.add(value);
    } else {
      main.add(value);
    }
  }
  if (main.count == 0) return std::nullopt;
  if (denominator.count > 0) {
    if (denominator.sum == 0) return std::nullopt;
    return main.sum / denominator.sum;
  }
  if (factor.count > 0) return main.sum * factor.mean();
  return combine == Combine::kAverage ? main.mean() : main.sum;
}

struct Seen {
  uint32_t parts = 0;
  uint32_t roles = 0;
};

std::map<uint8_t, Seen> seen_choices(const Family& family, const std::vector<Input>& inputs,
                                     uint64_t scrape) {
  std::map<uint8_t, Seen> seen;
  for (const Output& output : family.outputs) {
    for (const Contribution& one : output.contributions) {
      if (inputs[one.input].scrape != scrape) continue;
      Seen& choice = seen[one.alias->choice];
      choice.parts |= bit(one.alias->part);
      choice.roles |= bit(output.role);
    }
  }
  return seen;
}

}  // namespace

model::LabelsBuilder Families::base_labels(std::string_view name, Engine engine) const {
  model::LabelsBuilder builder;
  builder.set(model::kMetricName, name);
  if (with_engine_) builder.set("engine", engine_name(engine));
  return builder;
}

Family& Families::family(const AliasTable& table, Series series, std::string_view model) {
  const auto [it, fresh] =
      by_key_.try_emplace({&table, series, std::string(model)}, families_.size());
  if (fresh) families_.push_back({&table, series, std::string(model), {}});
  return families_[it->second];
}

uint32_t Families::group_of(const EngineTraits& engine, model::LabelsView labels) {
  std::string key;
  for (const model::Label& label : labels) {
    if (is_copy_label(engine, label.name)) continue;
    model::append_packed_label(key, label.name, label.value);
  }
  return groups_.try_emplace(std::move(key), static_cast<uint32_t>(groups_.size())).first->second;
}

void Families::add(const AliasTable& table, const Match& match, model::LabelsView labels,
                   uint32_t input) {
  const std::optional<double> scale = scale_of(match, labels);
  if (!scale) return;
  const Alias& alias = *match.alias;
  const EngineTraits& engine = traits(table.engine);
  const std::string_view model =
      engine.model_label.empty() ? std::string_view() : labels.get(engine.model_label);

  model::LabelsBuilder builder = base_labels(
      std::string(canonical(alias.series).name).append(role_suffix(match.role)), table.engine);
  builder.set("model", model);
  if (!alias.to.empty()) {
    const std::string_view value = alias.from.empty() ? alias.fixed : labels.get(alias.from);
    builder.set(alias.to, alias.to == "reason" ? canonical_reason(value) : std::string(value));
  }
  if (match.role == Role::kBucket) {
    builder.set(kBucketLabel, bound_text(labels.get(kBucketLabel), unit_factor(alias.unit)));
  }
  const model::Labels made = builder.build();

  Family& home = family(table, alias.series, model);
  auto output = std::ranges::find(home.outputs, made, &Output::labels);
  if (output == home.outputs.end()) {
    output = home.outputs.insert(output, {made, match.role, {}});
  }
  const Contribution one{input, &alias, *scale, group_of(engine, labels), rank_of(engine, labels)};
  output->contributions.insert(
      std::ranges::upper_bound(output->contributions, order_key(one), {}, order_key), one);
}

Families::Outcome Families::evaluate(const Family& family, const std::vector<Input>& inputs,
                                     uint64_t scrape, const Emit& emit) const {
  Outcome outcome;
  for (const auto& [choice, seen] : seen_choices(family, inputs, scrape)) {
    const uint32_t parts = parts_of(*family.table, family.series, choice);
    if (seen.parts != parts) continue;
    outcome.given = seen.roles == roles_of(*family.table, family.series, choice);
    for (const Output& output : family.outputs) {
      const auto value = value_of(output, canonical(family.series).combine, choice, inputs, scrape);
      if (!value) continue;
      emit(output.labels, *value);
      for (const Contribution& one : output.contributions) {
        if (one.alias->choice != choice || inputs[one.input].scrape != scrape) continue;
        if (std::ranges::find(outcome.aliases, one.alias) == outcome.aliases.end()) {
          outcome.aliases.push_back(one.alias);
        }
      }
    }
    break;
  }
  return outcome;
}

}  // namespace binnacle::collect::engines
