// The way out of a metric store. A Querier sees one consistent state over [min, max] milliseconds,
// both included, and hands out whole columns, never one sample a call. Used by one thread; a store
// hands out many.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/read_budget.h"

namespace binnacle::model {

// Times at even distances.
struct TimeGrid {
  int64_t start_ms = 0;
  int64_t step_ms = 0;
  size_t count = 0;
  friend bool operator==(const TimeGrid&, const TimeGrid&) = default;
};

// What the caller will do with the samples; a store may use it to read less, never to answer
// differently, but for the samples that `resolution_ms` allows it to sum up.
struct SelectHints {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 0;       // 0: instant
  int64_t range_ms = 0;      // of a range selector; 0: plain selector with lookback
  std::string function;      // innermost function round the selector: "rate"; empty when none
  bool series_only = false;  // labels alone are wanted, columns may be empty
  size_t limit = 0;          // most series wanted; 0: no limit
  bool any_order = false;    // the caller has no use for the order of labels
  // The caller looks at these labels alone, and in any order: others may be missing, so that series
  // may come with equal labels, or even with none.
  std::optional<std::vector<std::string>> labels = {};
  bool newest_only = false;  // only the newest sample of each series counts
  // Of the samples at or before each of these times only the newest counts.
  std::optional<TimeGrid> newest_at = {};
  bool any_number = false;  // whatever is not NaN may come as another number
  // Where the store has summed up samples already, it may give one point a window instead of them:
  // windows up to that long, 0: samples alone. A point has the time of its window's last
  // millisecond and is the window's `aggregate`: "count", "increase", "last", "max", "min", "sum".
  // Elsewhere, and always of the newest hours, it gives the samples.
  int64_t resolution_ms = 0;
  std::string aggregate = {};
};

// One series. Spans hold until the next call of next(). `timestamps_id` is equal and not 0 for
// series whose timestamps are the same column, so that a caller does window arithmetic once for all
// of them.
struct SeriesColumns {
  LabelsView labels;
  std::span<const int64_t> timestamps_ms;  // strictly ascending
  std::span<const double> values;          // as many; stale markers included
  uint64_t timestamps_id = 0;
};

class SeriesSet {
 public:
  virtual ~SeriesSet() = default;
  virtual bool next(SeriesColumns& out) = 0;  // false at the end or on error; then look at status()
  virtual Status status() const = 0;
};

class Querier {
 public:
  virtual ~Querier() = default;

  // From now on what it and its sets hold is charged to `budget`, which outlives them all. A read
  // that goes over ends with the budget's error.
  virtual void charge_to(ReadBudget& budget) = 0;
  // Series in label order, unless the hints ask for any.
  virtual Result<std::unique_ptr<SeriesSet>> select(const Matchers& matchers,
                                                    const SelectHints& hints) = 0;
  // Sorted, unique; of the series that match (all when empty); at most `limit` (0: all).
  virtual Result<std::vector<std::string>> label_names(const Matchers& matchers, size_t limit) = 0;
  virtual Result<std::vector<std::string>> label_values(std::string_view name,
                                                        const Matchers& matchers, size_t limit) = 0;
  // Why what was selected so far may not be all there is: a part of the store could not be asked.
  virtual std::vector<std::string> warnings() const { return {}; }
};

class Queryable {
 public:
  virtual ~Queryable() = default;
  virtual Result<std::unique_ptr<Querier>> querier(int64_t min_ms,
                                                   int64_t max_ms) = 0;  // any thread
};

}  // namespace binnacle::model
