#include "engine/model/bpe_merger.h"

#include <algorithm>
#include <queue>
#include <tuple>

namespace binnacle::engine {
namespace {

constexpr int32_t kNone = -1;

uint64_t key(int32_t left, int32_t right) {
  return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
}

// `token` is kNone once the symbol is a part of its left neighbour.
struct Symbol {
  int32_t token;
  int32_t before;
  int32_t after;
};

struct Waiting {
  int32_t rank;
  int32_t at;  // the left one of the pair
  int32_t left;
  int32_t right;
  int32_t merged;
};

struct Later {
  bool operator()(const Waiting& a, const Waiting& b) const {
    return std::tie(a.rank, a.at) > std::tie(b.rank, b.at);
  }
};

}  // namespace

void BpeMerger::add(int32_t left, int32_t right, int32_t merged) {
  merges_[key(left, right)] = {next_rank_++, merged};
}

const BpeMerger::Merge* BpeMerger::find(int32_t left, int32_t right) const {
  const auto at = merges_.find(key(left, right));
  return at == merges_.end() ? nullptr : &at->second;
}

void BpeMerger::merge(std::vector<int32_t>& tokens) const {
  if (tokens.size() < 2) return;
  const auto count = static_cast<int32_t>(tokens.size());
  std::vector<Symbol> symbols;
  symbols.reserve(tokens.size());
  for (int32_t i = 0; i < count; ++i) {
    symbols.push_back({tokens[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : kNone});
  }
  const auto symbol = [&](int32_t at) -> Symbol& { return symbols[static_cast<size_t>(at)]; };
  std::priority_queue<Waiting, std::vector<Waiting>, Later> queue;
  const auto offer = [&](int32_t at) {
    if (at == kNone || symbol(at).after == kNone) return;
    const int32_t left = symbol(at).token;
    const int32_t right = symbol(symbol(at).after).token;
    const Merge* const merge = find(left, right);
    if (merge != nullptr) queue.push({merge->rank, at, left, right, merge->merged});
  };
  for (int32_t i = 0; i + 1 < count; ++i) offer(i);
  while (!queue.empty()) {
    const Waiting next = queue.top();
    queue.pop();
    Symbol& left = symbol(next.at);
    // One of the two may have been merged elsewhere since.
    if (left.token != next.left || left.after == kNone) continue;
    Symbol& right = symbol(left.after);
    if (right.token != next.right) continue;
    left.token = next.merged;
    left.after = right.after;
    right.token = kNone;
    if (left.after != kNone) symbol(left.after).before = next.at;
    offer(left.before);
    offer(next.at);
  }
  size_t out = 0;
  for (const Symbol& left : symbols) {
    if (left.token != kNone) tokens[out++] = left.token;
  }
  tokens.resize(out);
}

}  // namespace binnacle::engine
