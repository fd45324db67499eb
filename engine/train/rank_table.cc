#include "engine/train/rank_table.h"

#include <fmt/format.h>

#include <utility>

namespace binnacle::engine {

Status RankTable::check(const Contribution& c) const {
  if (c.rank == 0 || c.rank >= static_cast<uint32_t>(ranks_)) {
    return fail(Code::kInvalidArgument,
                fmt::format("there is no rank {} in a run of {}", c.rank, ranks_));
  }
  if (c.fingerprint != fingerprint_) {
    return fail(Code::kFailedPrecondition,
                fmt::format("rank {} has other settings or texts than rank 0: start all ranks with "
                            "the same",
                            c.rank));
  }
  if (waiting_.contains(c.rank)) {
    return fail(Code::kAlreadyExists, fmt::format("there is a rank {} already", c.rank));
  }
  return {};
}

void RankTable::put(Contribution contribution, Answer answer) {
  Status fit;
  {
    const MutexLock lock(mu_);
    fit = check(contribution);
    if (fit) {
      const uint32_t rank = contribution.rank;
      if (contribution.kind == ExchangeKind::kAverage) last_step_[rank] = contribution.number;
      waiting_.emplace(rank, Waiting{std::move(contribution), std::move(answer)});
      came_.notify_all();
      return;
    }
  }
  answer(fail(std::move(fit).error()));
}

void RankTable::withdraw(uint32_t rank) {
  const MutexLock lock(mu_);
  waiting_.erase(rank);
}

std::string RankTable::missing() const {
  std::string out;
  for (uint32_t rank = 1; rank < static_cast<uint32_t>(ranks_); ++rank) {
    if (waiting_.contains(rank)) continue;
    const auto last = last_step_.find(rank);
    out +=
        fmt::format("{}rank {} ({})", out.empty() ? "" : ", ", rank,
                    last == last_step_.end() ? "never came"
                                             : fmt::format("last came to step {}", last->second));
  }
  return out;
}

Status RankTable::check_numbers(ExchangeKind kind, uint64_t number) const {
  for (const auto& [rank, one] : waiting_) {
    const Contribution& c = one.contribution;
    if (c.kind == kind && c.number == number) continue;
    return fail(Code::kFailedPrecondition,
                fmt::format("rank {} is at step {}, rank 0 at {}: start all ranks together", rank,
                            c.number, number));
  }
  return {};
}

std::vector<RankTable::Answer> RankTable::take_answers() {
  std::vector<Answer> out;
  for (auto& [rank, one] : waiting_) out.push_back(std::move(one.answer));
  waiting_.clear();
  return out;
}

Result<std::vector<Contribution>> RankTable::gather(ExchangeKind kind, uint64_t number,
                                                    int64_t timeout_ms) {
  const int64_t deadline_ms = clock_.monotonic_ms() + timeout_ms;
  Status status;
  std::vector<Answer> told;
  {
    const MutexLock lock(mu_);
    while (waiting_.size() + 1 < static_cast<size_t>(ranks_)) {
      const int64_t left_ms = deadline_ms - clock_.monotonic_ms();
      if (left_ms <= 0) break;
      came_.wait_for_ms(mu_, left_ms);
    }
    if (waiting_.size() + 1 < static_cast<size_t>(ranks_)) {
      status = fail(Code::kUnavailable, fmt::format("step {}: after {} ms these did not come: {}",
                                                    number, timeout_ms, missing()));
    } else {
      status = check_numbers(kind, number);
    }
    if (status) {
      std::vector<Contribution> out;
      for (auto& [rank, one] : waiting_) out.push_back(std::move(one.contribution));
      return out;
    }
    told = take_answers();
  }
  for (const Answer& answer : told) answer(fail(Error(status.error())));
  return fail(std::move(status).error());
}

void RankTable::answer(const std::shared_ptr<const std::string>& bytes) {
  std::vector<Answer> told;
  {
    const MutexLock lock(mu_);
    told = take_answers();
  }
  for (const Answer& one : told) one(bytes);
}

}  // namespace binnacle::engine
