// The arithmetic of an engine's deriver: which inputs make which canonical series, which of several
// names is taken, what is added, averaged, divided, left out as a copy. Knows neither targets nor
// sinks. One thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "collect/engines/alias_index.h"
#include "model/labels.h"

namespace binnacle::collect::engines {

// Lower is better, label by label of EngineTraits::copies.
using CopyRank = std::array<int64_t, 4>;

struct Input {
  double value = 0;
  uint64_t scrape = 0;  // in which it was seen last
};

// One series of the engine as a part of one canonical series.
struct Contribution {
  uint32_t input = 0;
  const Alias* alias = nullptr;
  double scale = 1;
  uint32_t group = 0;  // same number: copies of each other
  CopyRank rank{};
};

struct Output {
  model::Labels labels;
  Role role = Role::kValue;
  std::vector<Contribution> contributions;  // by choice, alias, group, rank
};

// All of one canonical series and model.
struct Family {
  const AliasTable* table = nullptr;
  Series series{};
  std::string model;
  std::vector<Output> outputs;
};

class Families {
 public:
  // `with_engine`: canonical series get a label `engine`.
  explicit Families(bool with_engine) : with_engine_(with_engine) {}

  // Notes that `input` is what `match` says of a series with `labels`.
  void add(const AliasTable& table, const Match& match, model::LabelsView labels, uint32_t input);

  // What one scrape made of a family.
  struct Outcome {
    bool given = false;                 // whole: all parts, all samples of a histogram
    std::vector<const Alias*> aliases;  // what it was taken from, each once
  };
  using Emit = std::function<void(model::LabelsView labels, double value)>;
  Outcome evaluate(const Family& family, const std::vector<Input>& inputs, uint64_t scrape,
                   const Emit& emit) const;

  const std::vector<Family>& all() const { return families_; }
  model::LabelsBuilder base_labels(std::string_view name, Engine engine) const;

 private:
  Family& family(const AliasTable& table, Series series, std::string_view model);
  uint32_t group_of(const EngineTraits& engine, model::LabelsView labels);

  const bool with_engine_;
  std::vector<Family> families_;
  std::map<std::tuple<const AliasTable*, Series, std::string>, size_t> by_key_;
  std::unordered_map<std::string, uint32_t> groups_;  // by packed labels without copies
};

}  // namespace binnacle::collect::engines
