// The alias table: which of an engine's names is which canonical series, in which version, unit and
// label. One row is one reading of one name; a name may stand in several rows. Names churn: a row
// that no longer fits stays for those who run that version, a new one is put before it. Constant
// tables; any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "collect/engines/canonical.h"
#include "collect/engines/engine.h"

namespace binnacle::collect::engines {

// What of the engine's series is taken, and as what.
enum class Part : uint8_t {
  kSame,          // value to value, histogram to histogram
  kHistogramSum,  // the `_sum` of a histogram is the counter
  kAsSum,         // a counter is the `_sum` of a histogram that is known by sum and count alone
  kAsCount,       // ... and its `_count`
  kDenominator,   // the rows of the same choice are divided by it
  kFactor,        // ... multiplied by it
  kWith,          // added to the rows of the same choice, which say nothing without it
  kLabels,        // an info series: the numbers in its labels `factor_a` and `factor_b`, multiplied
};

enum class Unit : uint8_t { kBase, kMilliseconds, kMicroseconds, kGibibytes };
double unit_factor(Unit unit);

// When the engine must give the series. Those of a group appear together: where one is seen, all
// are expected. An eager engine (EngineTraits) gives all but kMay and kSpeculative from its start.
enum class Need : uint8_t {
  kMay,  // depends on its configuration, or on what has happened
  kAlways,
  kRequests,     // once a request has ended
  kIterations,   // once the scheduler has run, or where its statistics are on
  kSpeculative,  // where it decodes speculatively
};
inline constexpr size_t kNeeds = 5;

struct Alias {
  // After the engine's prefix, with `_` for `:`, without `_total`, `_bucket`, `_sum`, `_count`.
  std::string_view name;
  Series series = Series::kRequestsRunning;
  Need need = Need::kMay;
  Part part = Part::kSame;
  Unit unit = Unit::kBase;
  // Rows of one series with the same choice are taken together. Of several choices that an engine
  // gives, the lowest is taken: new names come before old ones, exact before derived.
  uint8_t choice = 0;
  Version since = 0;  // first version that has it; 0: all known
  Version until = 0;  // first version that no longer has it; 0: none
  // Only series with this label and value.
  std::string_view only_label = {};
  std::string_view only_value = {};
  // The canonical label `to`, whose value is that of the engine's label `from` or else `fixed`.
  std::string_view to = {};
  std::string_view from = {};
  std::string_view fixed = {};
  // Of kLabels.
  std::string_view factor_a = {};
  std::string_view factor_b = {};
};

struct AliasTable {
  Engine engine;
  std::string_view prefix;  // of all its names, with `_` for `:`
  std::span<const Alias> rows;
};

// An engine may have several, told apart by prefix; no prefix begins another one.
std::span<const AliasTable> alias_tables();

// The value of a canonical `reason`: engines write the same one in several ways.
std::string canonical_reason(std::string_view value);

}  // namespace binnacle::collect::engines
