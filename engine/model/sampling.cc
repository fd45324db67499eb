#include "engine/model/sampling.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/model/philox.h"

namespace binnacle::engine {
namespace {

constexpr float kMaxTemperature = 100;
constexpr int32_t kMaxTopLogprobs = 20;
constexpr float kMaxBias = 100;
constexpr size_t kMaxTokenLists = 4096;
constexpr size_t kFirstSorted = 256;
constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Candidate {
  int32_t token = 0;
  float logit = 0;
};

bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

Unexpected invalid(std::string_view name, double value, std::string_view bounds) {
  return fail(Code::kInvalidArgument, fmt::format("{} is {}: must be {}", name, value, bounds));
}

Status check_token(std::string_view name, int32_t token, int32_t vocabulary) {
  if (token >= 0 && token < vocabulary) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{} names token {}: must be 0 to {}", name, token, vocabulary - 1));
}

Status check_list(std::string_view name, size_t size) {
  if (size <= kMaxTokenLists) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{} has {} entries: at most {}", name, size, kMaxTokenLists));
}

// A broken computation must not go on as if it had chosen something.
Status check_logits(std::span<const float> logits) {
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] < std::numeric_limits<float>::infinity()) continue;
    return fail(Code::kDataLoss, fmt::format("the logit of token {} is {}: the computation or the "
                                             "weights are broken",
                                             i, logits[i]));
  }
  return {};
}

// log(sum of exp), added up in the order of the tokens.
double log_sum(std::span<const float> logits) {
  const double top = *std::ranges::max_element(logits);
  if (!std::isfinite(top)) return top;
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - top);
  return top + std::log(sum);
}

std::vector<Candidate> allowed_candidates(std::span<const float> logits, const Sampling& sampling) {
  std::vector<float> adjusted(logits.begin(), logits.end());
  for (const auto& [token, bias] : sampling.bias) adjusted[static_cast<size_t>(token)] += bias;
  for (const int32_t token : sampling.forbidden) adjusted[static_cast<size_t>(token)] = kNever;
  std::vector<Candidate> out;
  out.reserve(adjusted.size());
  for (size_t i = 0; i < adjusted.size(); ++i) {
    if (adjusted[i] > kNever) out.push_back({static_cast<int32_t>(i), adjusted[i]});
  }
  return out;
}

// The tokens that may be drawn, with their weights (the best one's is 1). They stand in the order
// of the vocabulary while all are kept, best first once some are cut.
class Lottery {
 public:
  Lottery(std::vector<Candidate> candidates, float temperature)
      : candidates_(std::move(candidates)),
        top_(std::ranges::min_element(candidates_, better)->logit),
        temperature_(temperature) {}

  void keep_best(int32_t count) {
    if (count == 0 || static_cast<size_t>(count) >= candidates_.size()) return;
    sort_first(static_cast<size_t>(count));
    candidates_.resize(static_cast<size_t>(count));
  }

  // The fewest of the best whose weights reach `share` of all.
  void keep_share(float share) {
    if (share >= 1) return;
    double total = 0;
    for (const Candidate& candidate : candidates_) total += weight(candidate);
    double reached = 0;
    size_t kept = 0;
    for (size_t sorted = 0; kept < candidates_.size() && reached < share * total; ++kept) {
      if (kept == sorted) {
        sorted = std::min(candidates_.size(), std::max(kFirstSorted, sorted * 4));
        sort_first(sorted);
      }
      reached += weight(candidates_[kept]);
    }
    candidates_.resize(std::max<size_t>(kept, 1));
  }

  void keep_likely(float least) {
    if (least <= 0) return;
    std::erase_if(candidates_, [&](const Candidate& c) { return weight(c) < least; });
  }

  int32_t draw(double unit) const {
    double total = 0;
    for (const Candidate& candidate : candidates_) total += weight(candidate);
    double left = unit * total;
    for (const Candidate& candidate : candidates_) {
      left -= weight(candidate);
      if (left < 0) return candidate.token;
    }
    return candidates_.back().token;  // rounding has eaten the last of it
  }

 private:
  double weight(const Candidate& candidate) const {
    return std::exp((static_cast<double>(candidate.logit) - top_) / temperature_);
  }

  void sort_first(size_t count) {
    std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(count),
                      candidates_.end(), better);
  }

  std::vector<Candidate> candidates_;
  const double top_;
  const double temperature_;
};

std::vector<std::pair<int32_t, float>> most_likely(std::span<const float> logits, double sum,
                                                   int32_t count) {
  std::vector<Candidate> all(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) all[i] = {static_cast<int32_t>(i), logits[i]};
  const size_t wanted = std::min(static_cast<size_t>(count), all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted), all.end(),
                    better);
  std::vector<std::pair<int32_t, float>> out;
  for (size_t i = 0; i < wanted; ++i) {
    out.emplace_back(all[i].token, static_cast<float>(all[i].logit - sum));
  }
  return out;
}

}  // namespace

Status check_sampling(const Sampling& s, int32_t vocabulary) {
  if (!(s.temperature >= 0 && s.temperature <= kMaxTemperature)) {
    return invalid("temperature", s.temperature, fmt::format("0 to {}", kMaxTemperature));
  }
  if (!(s.top_p > 0 && s.top_p <= 1)) return invalid("top_p", s.top_p, "above 0 and at most 1");
  if (s.top_k < 0) return invalid("top_k", s.top_k, "0 (all tokens) or more");
  if (!(s.min_p >= 0 && s.min_p < 1)) return invalid("min_p", s.min_p, "0 or more and below 1");
  if (s.top_logprobs < 0 || s.top_logprobs > kMaxTopLogprobs) {
    return invalid("top_logprobs", s.top_logprobs, fmt::format("0 to {}", kMaxTopLogprobs));
  }
  TRY(check_list("logit_bias", s.bias.size()));
  TRY(check_list("the list of forbidden tokens", s.forbidden.size()));
  for (const auto& [token, bias] : s.bias) {
    TRY(check_token("logit_bias", token, vocabulary));
    if (!(std::abs(bias) <= kMaxBias)) {
      return invalid(fmt::format("logit_bias of token {}", token), bias,
                     fmt::format("-{} to {}", kMaxBias, kMaxBias));
    }
  }
  for (const int32_t token : s.forbidden) {
    TRY(check_token("the list of forbidden tokens", token, vocabulary));
  }
  return {};
}

Result<TokenChoice> choose_token(std::span<const float> logits, const Sampling& sampling,
                                 int64_t position) {
  if (logits.empty()) return fail(Code::kInvalidArgument, "there are no logits to choose from");
  TRY(check_sampling(sampling, static_cast<int32_t>(logits.size())));
  TRY(check_logits(logits));
  std::vector<Candidate> candidates = allowed_candidates(logits, sampling);
  if (candidates.empty()) {
    return fail(Code::kFailedPrecondition, "no token may be chosen: all are forbidden");
  }
  TokenChoice choice;
  if (sampling.temperature == 0) {
    choice.token = std::ranges::min_element(candidates, better)->token;
  } else {
    Lottery lottery(std::move(candidates), sampling.temperature);
    lottery.keep_best(sampling.top_k);
    lottery.keep_share(sampling.top_p);
    lottery.keep_likely(sampling.min_p);
    choice.token = lottery.draw(philox_unit(sampling.seed, static_cast<uint64_t>(position)));
  }
  const double sum = log_sum(logits);
  choice.logprob = static_cast<float>(logits[static_cast<size_t>(choice.token)] - sum);
  if (sampling.top_logprobs > 0) choice.top = most_likely(logits, sum, sampling.top_logprobs);
  return choice;
}

}  // namespace binnacle::engine
