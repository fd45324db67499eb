// Room for the integers of one column while it is coded: on the stack for the columns of the head,
// on the heap beyond. Not cleared. One owner, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace binnacle::store::metrics {

class IntegerScratch {
 public:
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read
  explicit IntegerScratch(size_t count)
      : heap_(count > kInline ? std::make_unique_for_overwrite<uint64_t[]>(count) : nullptr),
        words_(heap_ ? heap_.get() : inline_, count) {}
  IntegerScratch(const IntegerScratch&) = delete;
  IntegerScratch& operator=(const IntegerScratch&) = delete;

  std::span<uint64_t> words() { return words_; }

 private:
  static constexpr size_t kInline = 256;

  uint64_t inline_[kInline];
  std::unique_ptr<uint64_t[]> heap_;
  std::span<uint64_t> words_;
};

}  // namespace binnacle::store::metrics
