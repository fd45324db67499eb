// Which series of the head have which label: a Roaring posting list for each label (name and value
// together). Series are plain numbers here. Any thread; one lock, held to add a series and to join
// posting lists, never while a regex runs or a sample is appended.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/read_budget.h"
#include "store/metrics/pair_table.h"

class Roaring;

namespace binnacle::store::metrics {

class HeadIndex {
 public:
  HeadIndex();
  ~HeadIndex();

  // Interns the labels and adds the series to their lists. The ids come in label order.
  void add(uint32_t series, model::LabelsView labels, std::vector<PairId>& pairs) EXCLUDES(mu_);
  void remove(uint32_t series, std::span<const PairId> pairs) EXCLUDES(mu_);

  // Packed bytes of a pair of a series that the caller knows to be alive.
  std::string_view pair(PairId id) const NO_THREAD_SAFETY_ANALYSIS { return table_.bytes(id); }

  // What is held meanwhile is charged to the budget, where there is one; errors are the budget's.
  Result<std::vector<uint32_t>> select(const model::Matchers& matchers,
                                       model::ReadBudget* budget = nullptr) const
      EXCLUDES(mu_);  // ascending
  // Sorted, unique; of the series that match (all when empty).
  Result<std::vector<std::string>> label_names(const model::Matchers& matchers,
                                               model::ReadBudget* budget = nullptr) const
      EXCLUDES(mu_);
  // At most `limit`, 0: all.
  Result<std::vector<std::string>> label_values(std::string_view name,
                                                const model::Matchers& matchers, size_t limit = 0,
                                                model::ReadBudget* budget = nullptr) const
      EXCLUDES(mu_);

  // How many series carry that label.
  uint64_t series_with(std::string_view name, std::string_view value) const EXCLUDES(mu_);
  uint64_t series_count() const EXCLUDES(mu_);
  // For each PairId: rank among all pairs by name, then value. A pair that comes later than this
  // call has none.
  static constexpr uint32_t kNoRank = UINT32_MAX;
  std::vector<uint32_t> ranks() const EXCLUDES(mu_);

  struct Cardinality {
    std::string name;
    uint64_t count = 0;
  };
  struct Statistics {
    uint64_t pairs = 0;
    std::vector<Cardinality> series_by_metric;  // largest first
    std::vector<Cardinality> values_by_name;    // largest first
    std::vector<Cardinality> bytes_by_name;     // of the values; largest first
    std::vector<Cardinality> series_by_pair;    // "name=value"; largest first
  };
  Statistics statistics(size_t limit) const EXCLUDES(mu_);

 private:
  struct Name;
  struct Candidate {
    PairId id;
    std::string value;
  };
  using Names = std::map<std::string, std::unique_ptr<Name>, std::less<>>;

  Roaring& postings(PairId id) REQUIRES(mu_);
  const Roaring* find(std::string_view name, std::string_view value) const REQUIRES(mu_);
  Status copy_values(std::string_view name, model::HeldBytes& held,
                     std::vector<Candidate>& out) const EXCLUDES(mu_);
  // The series whose label fits, or with `invert` those that have the label and do not fit.
  Result<Roaring> matching(const model::Matcher& matcher, bool invert,
                           model::ReadBudget* budget) const EXCLUDES(mu_);
  // Charged to `held`.
  Result<Roaring> selected(const model::Matchers& matchers, model::HeldBytes& held) const
      EXCLUDES(mu_);

  mutable Mutex mu_;
  PairTable table_ GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Roaring>> postings_ GUARDED_BY(mu_);  // by PairId
  std::vector<uint32_t> places_ GUARDED_BY(mu_);  // by PairId: where its name has it
  Names names_ GUARDED_BY(mu_);
  std::unique_ptr<Roaring> all_ GUARDED_BY(mu_);
  std::vector<PairId> last_pairs_ GUARDED_BY(mu_);  // of the series added last
};

}  // namespace binnacle::store::metrics
