// Where rank 0 gathers what the others bring for one exchange. A contribution is answered once:
// when all are there, or with why that will not be. Any thread; answers are called without a lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "engine/train/exchange_message.h"

namespace binnacle::engine {

class RankTable {
 public:
  using Answer = std::function<void(const Result<std::shared_ptr<const std::string>>&)>;

  RankTable(int32_t ranks, uint64_t fingerprint, const Clock& clock)
      : ranks_(ranks), fingerprint_(fingerprint), clock_(clock) {}

  // Refused at once when it is of another run, of a rank that there is not, or there already.
  void put(Contribution contribution, Answer answer) EXCLUDES(mu_);
  // The connection that brought it is gone.
  void withdraw(uint32_t rank) EXCLUDES(mu_);

  // Rank 0's turn: waits until all others' contributions of this kind and number are there, and
  // hands them out by rank, first rank 1's. kUnavailable names the ranks that did not come, and
  // the last step of each; those that came are told the same.
  Result<std::vector<Contribution>> gather(ExchangeKind kind, uint64_t number, int64_t timeout_ms)
      EXCLUDES(mu_);
  // To all that were gathered.
  void answer(const std::shared_ptr<const std::string>& bytes) EXCLUDES(mu_);

 private:
  struct Waiting {
    Contribution contribution;
    Answer answer;
  };
  Status check(const Contribution& contribution) const REQUIRES(mu_);
  Status check_numbers(ExchangeKind kind, uint64_t number) const REQUIRES(mu_);
  std::string missing() const REQUIRES(mu_);
  std::vector<Answer> take_answers() REQUIRES(mu_);

  // Fixed after construction.
  const int32_t ranks_;
  const uint64_t fingerprint_;
  const Clock& clock_;

  Mutex mu_;
  CondVar came_;
  std::map<uint32_t, Waiting> waiting_ GUARDED_BY(mu_);
  std::map<uint32_t, uint64_t> last_step_ GUARDED_BY(mu_);  // that a rank came to
};

}  // namespace binnacle::engine
