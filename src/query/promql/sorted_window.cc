#include "query/promql/sorted_window.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace binnacle::query::promql {
namespace {

constexpr size_t kSmall = 48;

void shift(double* to, const double* from, size_t count) {
  std::memmove(to, from, count * sizeof(double));
}

}  // namespace

void SortedWindow::begin(std::span<const double> values) {
  values_ = values;
  first_ = last_ = 0;
  nans_ = 0;
  sorted_.clear();
}

void SortedWindow::move_to(uint32_t first, uint32_t last) {
  const uint32_t out = first - first_;
  const uint32_t in = last - last_;
  if (first >= last_ || out + in > last - first) return fill(first, last);
  const uint32_t both = std::min(out, in);
  for (uint32_t i = 0; i < both; ++i) replace(values_[first_ + i], values_[last_ + i]);
  for (uint32_t i = both; i < out; ++i) erase(values_[first_ + i]);
  for (uint32_t i = both; i < in; ++i) insert(values_[last_ + i]);
  first_ = first;
  last_ = last;
}

void SortedWindow::fill(uint32_t first, uint32_t last) {
  first_ = first;
  last_ = last;
  sorted_.clear();
  for (uint32_t i = first; i < last; ++i)
    if (!std::isnan(values_[i])) sorted_.push_back(values_[i]);
  nans_ = last - first - sorted_.size();
  std::ranges::sort(sorted_);
}

// A search without branches to guess wrong: the window's values come in no order.
size_t SortedWindow::place_of(double value) const {
  size_t at = 0;
  size_t left = sorted_.size();
  if (left == 0) return 0;
  while (left > 1) {
    const size_t half = left / 2;
    at += half * static_cast<size_t>(sorted_[at + half - 1] < value);
    left -= half;
  }
  return at + static_cast<size_t>(sorted_[at] < value);
}

// In a small window counting all that is less, many at a time, is quicker than two searches.
std::pair<size_t, size_t> SortedWindow::places_of(double a, double b) const {
  if (sorted_.size() > kSmall) return {place_of(a), place_of(b)};
  int64_t less_a = 0;
  int64_t less_b = 0;
  for (const double value : sorted_) {
    less_a += value < a ? 1 : 0;
    less_b += value < b ? 1 : 0;
  }
  return {static_cast<size_t>(less_a), static_cast<size_t>(less_b)};
}

void SortedWindow::insert(double value) {
  if (std::isnan(value)) {
    ++nans_;
  } else {
    sorted_.insert(sorted_.begin() + static_cast<ptrdiff_t>(place_of(value)), value);
  }
}

void SortedWindow::erase(double value) {
  if (std::isnan(value)) {
    --nans_;
  } else {
    sorted_.erase(sorted_.begin() + static_cast<ptrdiff_t>(place_of(value)));
  }
}

void SortedWindow::replace(double old, double value) {
  if (std::isnan(old) || std::isnan(value)) {
    erase(old);
    return insert(value);
  }
  const auto [gap, place] = places_of(old, value);
  double* data = sorted_.data();
  if (place > gap) {
    shift(data + gap, data + gap + 1, place - gap - 1);
    data[place - 1] = value;
  } else {
    shift(data + place + 1, data + place, gap - place);
    data[place] = value;
  }
}

}  // namespace binnacle::query::promql
