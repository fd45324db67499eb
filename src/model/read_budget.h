// What a read may hold of memory, and whether anyone still waits for it. Whoever asks a Querier
// gives it one; the store charges what it holds for the read as that grows, before there is more of
// it than may be. Called from all threads of the read.
#pragma once

#include <cstddef>
#include <utility>

#include "base/error.h"

namespace binnacle::model {

class ReadBudget {
 public:
  // Held from now on, and counted even where the answer is an error: the read is over then. Looks
  // at the time and the caller, too.
  virtual Status charge_bytes(size_t bytes) = 0;
  virtual void release_bytes(size_t bytes) = 0;
  virtual Status check() const = 0;  // an error when the read should end

 protected:
  ~ReadBudget() = default;
};

// What one holder has of a budget, given back when it goes. Without a budget nothing is counted and
// nothing refused. One thread at a time.
class HeldBytes {
 public:
  explicit HeldBytes(ReadBudget* budget = nullptr) : budget_(budget) {}  // outlives this
  ~HeldBytes() { release(); }
  HeldBytes(HeldBytes&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }

  // So many from now on, be it more or fewer than before.
  Status set(size_t bytes) {
    if (budget_ == nullptr) return {};
    const size_t before = std::exchange(bytes_, bytes);
    if (bytes > before) return budget_->charge_bytes(bytes - before);
    budget_->release_bytes(before - bytes);
    return budget_->check();
  }
  Status add(size_t bytes) { return set(bytes_ + bytes); }
  Status check() const { return budget_ == nullptr ? Status() : budget_->check(); }
  ReadBudget* budget() const { return budget_; }

 private:
  void release() {
    if (bytes_ > 0) budget_->release_bytes(bytes_);
  }

  ReadBudget* budget_;
  size_t bytes_ = 0;
};

}  // namespace binnacle::model
