#include "query/promql/held_memory.h"

#include <algorithm>
#include <cstring>

namespace binnacle::query::promql {
namespace {

constexpr size_t kLargestChunk = size_t{1} << 20;
constexpr size_t kSpare = 4096;
constexpr size_t kAlign = alignof(double);

}  // namespace

HeldMemory::~HeldMemory() { meter_.release_bytes(charged_); }

Status HeldMemory::charge_more(size_t bytes) {
  const size_t asked = bytes + kSpare;
  charged_ += asked;  // the meter counts what it refuses, too
  TRY(meter_.charge_bytes(asked));
  spare_ += kSpare;
  return {};
}

Result<std::byte*> HeldMemory::take(size_t bytes) {
  bytes = (bytes + kAlign - 1) / kAlign * kAlign;
  if (bytes > left_) {
    const size_t size = std::max(bytes, next_chunk_);
    next_chunk_ = std::min(next_chunk_ * 2, kLargestChunk);
    TRY(charge(size));
    chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    free_ = chunks_.back().get();
    left_ = size;
  }
  std::byte* const out = free_;
  free_ += bytes;
  left_ -= bytes;
  return out;
}

Result<std::span<double>> HeldMemory::column(size_t size, double value) {
  TRY_ASSIGN(const auto out, array<double>(size));
  std::ranges::fill(out, value);
  return out;
}

Result<std::span<double>> HeldMemory::copy(std::span<const double> values) {
  TRY_ASSIGN(const auto out, array<double>(values.size()));
  std::ranges::copy(values, out.begin());
  return out;
}

Result<std::span<uint8_t>> HeldMemory::flags(size_t size) {
  TRY_ASSIGN(const auto out, array<uint8_t>(size));
  std::ranges::fill(out, uint8_t{0});
  return out;
}

Result<std::string_view> HeldMemory::text(std::string_view bytes) {
  TRY_ASSIGN(std::byte * out, take(bytes.size()));
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());  // may have no data at all
  return std::string_view(reinterpret_cast<const char*>(out), bytes.size());
}

}  // namespace binnacle::query::promql
