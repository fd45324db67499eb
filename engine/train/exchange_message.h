// What ranks say to each other: docs/formats/training-exchange.md. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::engine {

enum class ExchangeKind : uint8_t { kBroadcast = 1, kAverage = 2 };

struct Contribution {
  ExchangeKind kind = ExchangeKind::kAverage;
  uint32_t rank = 0;
  uint64_t number = 0;  // of the step, or of the broadcast
  uint64_t fingerprint = 0;
  std::vector<double> report;
  std::vector<float> values;  // of a broadcast none: rank 0's count
};

struct ExchangeAnswer {
  std::vector<std::vector<double>> reports;  // by rank; of a broadcast rank 0's alone
  std::string_view values;                   // floats, little-endian; within the bytes read
};

std::string encode_contribution(const Contribution& contribution, std::span<const float> values);
Result<Contribution> decode_contribution(std::string_view bytes);  // kDataLoss, kInvalidArgument

std::string encode_answer(const std::vector<std::vector<double>>& reports,
                          std::span<const float> values);
Result<ExchangeAnswer> decode_answer(std::string_view bytes);

}  // namespace binnacle::engine
