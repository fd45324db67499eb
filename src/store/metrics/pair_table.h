// The distinct labels (name and value together) of the series in the head, each under a number:
// a series is a short list of such numbers. Numbers are given again once nobody uses them.
// Owned by the HeadIndex. Changes need its lock; bytes() may be read by whoever knows that a series
// with that pair is alive.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace binnacle::store::metrics {

using PairId = uint32_t;

class PairTable {
 public:
  PairTable();
  ~PairTable();
  PairTable(const PairTable&) = delete;
  PairTable& operator=(const PairTable&) = delete;

  static constexpr PairId kNone = UINT32_MAX;

  // `packed`: one label as model::Labels packs it. Finds it or makes it.
  PairId intern(std::string_view packed);
  PairId find(std::string_view packed) const;  // kNone when it is not there
  void release(PairId id);                     // nobody uses it any more
  std::string_view bytes(PairId id) const;

  size_t size() const { return count_; }
  PairId end() const { return next_; }  // ids are below
  size_t memory_bytes() const;

 private:
  struct Entry {
    std::unique_ptr<char[]> bytes;  // null: free
    uint32_t size = 0;
  };
  static constexpr size_t kPageEntries = 4096;
  static constexpr size_t kMaxPages = 16384;  // 67 million pairs
  using Page = std::array<Entry, kPageEntries>;

  Entry& entry(PairId id) { return (*pages_[id / kPageEntries].load())[id % kPageEntries]; }
  const Entry& entry(PairId id) const {
    return (*pages_[id / kPageEntries].load(std::memory_order_acquire))[id % kPageEntries];
  }
  size_t slot_of(std::string_view packed) const;  // where it is, or the free slot for it
  void grow();

  // Pages never move, so that readers need no lock.
  std::unique_ptr<std::atomic<Page*>[]> pages_;
  std::vector<PairId> slots_;  // open addressing; kNone: free
  std::vector<PairId> free_;
  size_t count_ = 0;
  size_t bytes_ = 0;
  PairId next_ = 0;
};

}  // namespace binnacle::store::metrics
