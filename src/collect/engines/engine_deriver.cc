#include "collect/engines/engine_deriver.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "collect/engines/expectations.h"
#include "collect/engines/families.h"

namespace binnacle::collect::engines {
namespace {

constexpr std::string_view kAbsentName = "binnacle_engine_expected_series_absent";
constexpr std::string_view kAliasName = "binnacle_engine_alias_info";
constexpr std::string_view kInfoName = "binnacle_engine_info";

class EngineDeriver final : public scrape::TargetDeriver {
 public:
  EngineDeriver(TargetHints hints, DeriverLimits limits, Counter& refused)
      : hints_(std::move(hints)), limits_(limits), refused_(refused), families_(!hints_.labelled) {
    if (hints_.engine) recognised_.insert(*hints_.engine);
  }

  uint32_t series(model::LabelsView labels, model::MetricType) override {
    Matches matches = match_series(labels);
    if (matches.table == nullptr) return 0;
    const Engine engine = matches.table->engine;
    if (hints_.engine && *hints_.engine != engine) return 0;
    // Of the schema's own names only the label tells whose they are.
    if (!traits(engine).native || !matches.rows.empty()) recognised_.insert(engine);
    if (matches.rows.empty()) return 0;

    const auto known = tokens_.find(std::string(labels.packed()));
    if (known != tokens_.end()) return known->second;
    if (inputs_.size() >= limits_.max_inputs) {
      refused_.add();
      return 0;
    }
    const auto input = static_cast<uint32_t>(inputs_.size());
    inputs_.emplace_back();
    tokens_.emplace(labels.packed(), input + 1);
    for (const Match& match : matches.rows) {
      families_.add(*matches.table, match, labels, input);
      remember_alias(*matches.table, *match.alias, matches.family);
    }
    return input + 1;
  }

  void sample(uint32_t token, double value) override {
    // NaN says that the engine does not know: as if the series were not there.
    if (token == 0 || token > inputs_.size() || std::isnan(value)) return;
    inputs_[token - 1] = {value, scrape_};
  }

  void finish(int64_t, scrape::DerivedSink& sink) override {
    std::map<Engine, View> seen;
    for (const Engine engine : recognised_) seen[engine];
    for (const Family& family : families_.all()) evaluate(family, sink, seen);
    for (const auto& [engine, state] : seen) {
      append_models(engine, state, sink);
      append_status(engine, state, sink);
    }
    ++scrape_;
  }

  void failed(int64_t) override { ++scrape_; }

 private:
  // Of one engine in one scrape.
  struct View {
    Evidence evidence;
    std::array<bool, kSeries> given{};
    std::array<bool, kSeries> partial{};
    std::set<std::string> models;
    std::set<std::string> aliases;  // packed labels; one name may stand in several rows
  };

  void remember_alias(const AliasTable& table, const Alias& alias, std::string_view exposed) {
    model::Labels& labels = alias_labels_[{&table, &alias}];
    if (!labels.empty()) return;
    labels = families_.base_labels(kAliasName, table.engine)
                 .set("series", canonical(alias.series).name)
                 .set("alias", exposed)
                 .build();
  }

  // Whether its canonical series are to be made, or are there already.
  bool gives(Engine engine) const { return !traits(engine).native || limits_.repeat_native; }

  void evaluate(const Family& family, scrape::DerivedSink& sink, std::map<Engine, View>& seen) {
    const Families::Outcome outcome =
        families_.evaluate(family, inputs_, scrape_, [&](model::LabelsView labels, double value) {
          if (gives(family.table->engine)) sink.append(labels, value);
        });
    if (outcome.aliases.empty()) return;
    View& engine = seen[family.table->engine];
    (outcome.given ? engine.given : engine.partial)[static_cast<size_t>(family.series)] = true;
    if (!family.model.empty()) engine.models.insert(family.model);
    for (const Alias* alias : outcome.aliases) {
      engine.evidence.note(*alias);
      engine.aliases.insert(alias_labels_.at({family.table, alias}).packed());
    }
  }

  void append_models(Engine engine, const View& state, scrape::DerivedSink& sink) const {
    if (!gives(engine)) return;
    for (const std::string& model : state.models) {
      model::LabelsBuilder builder =
          families_.base_labels(canonical(Series::kModelInfo).name, engine);
      sink.append(builder.set("model", model).build(), 1);
    }
  }

  void append_status(Engine engine, const View& state, scrape::DerivedSink& sink) {
    for (const std::string& alias : state.aliases) sink.append(model::LabelsView(alias), 1);
    sink.append(families_.base_labels(kInfoName, engine)
                    .set("version", version_label(hints_.version_text, state.evidence))
                    .build(),
                1);
    for (size_t i = 0; i < kSeries; ++i) {
      const auto series = static_cast<Series>(i);
      if (!is_expected(engine, series, state.evidence, hints_.version)) continue;
      // One model's histogram that has lost a part is not made good by another's.
      const bool absent = !state.given[i] || state.partial[i];
      sink.append(absent_labels(engine, series), absent ? 1 : 0);
    }
  }

  const model::Labels& absent_labels(Engine engine, Series series) {
    model::Labels& labels = absent_labels_[{engine, series}];
    if (labels.empty()) {
      labels =
          families_.base_labels(kAbsentName, engine).set("series", canonical(series).name).build();
    }
    return labels;
  }

  // Fixed after construction.
  const TargetHints hints_;
  const DeriverLimits limits_;
  Counter& refused_;

  // The target's loop only.
  Families families_;
  std::vector<Input> inputs_;                         // token - 1
  std::unordered_map<std::string, uint32_t> tokens_;  // by packed labels
  std::set<Engine> recognised_;                       // from any scrape
  uint64_t scrape_ = 1;
  using AliasKey = std::pair<const AliasTable*, const Alias*>;
  std::map<AliasKey, model::Labels> alias_labels_;
  std::map<std::pair<Engine, Series>, model::Labels> absent_labels_;
};

std::string_view first_label(model::LabelsView labels, std::string_view a, std::string_view b) {
  const std::string_view first = labels.get(a);
  return first.empty() ? labels.get(b) : first;
}

}  // namespace

TargetHints target_hints(model::LabelsView target, model::LabelsView discovered) {
  const auto hint = [&](std::string_view hidden, std::string_view name) {
    const std::string_view before = discovered.get(hidden);
    return std::string(before.empty() ? first_label(target, hidden, name) : before);
  };
  TargetHints hints;
  hints.engine = engine_from_name(hint("__engine__", "engine"));
  hints.version_text = hint("__engine_version__", "engine_version");
  hints.version = parse_version(hints.version_text);
  hints.labelled = hints.engine && engine_name(*hints.engine) == target.get("engine");
  return hints;
}

EngineDerivers::EngineDerivers(Registry& registry, DeriverLimits limits)
    : limits_(limits),
      refused_(registry.counter(
          "binnacle_engine_series_refused_total",
          "Series of engines that no canonical series was made of: their target has too many.")) {}

std::unique_ptr<scrape::TargetDeriver> EngineDerivers::for_target(model::LabelsView target,
                                                                  model::LabelsView discovered) {
  return std::make_unique<EngineDeriver>(target_hints(target, discovered), limits_, refused_);
}

}  // namespace binnacle::collect::engines
