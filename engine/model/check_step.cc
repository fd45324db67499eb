#include "engine/model/check_step.h"

#include <fmt/format.h>

namespace binnacle::engine {
namespace {

Status check_tokens(const Step& step, const ModelConfig& config, int64_t rows) {
  if (std::ssize(step.tokens) != rows) {
    return fail(Code::kInvalidArgument,
                fmt::format("a step of {} rows came with {} tokens", rows, step.tokens.size()));
  }
  for (const int32_t token : step.tokens) {
    if (token < 0 || token >= config.vocabulary) {
      return fail(Code::kInvalidArgument, fmt::format("token {} is outside the vocabulary of {}",
                                                      token, config.vocabulary));
    }
  }
  return {};
}

}  // namespace

int32_t rows_of(const Step& step) {
  int64_t rows = 0;
  for (const Slice& slice : step.slices) rows += slice.rows;
  return static_cast<int32_t>(rows);
}

Status check_step(const Step& step, const ModelConfig& config, LayerRange layers) {
  int64_t rows = 0;
  for (const Slice& slice : step.slices) {
    if (slice.rows <= 0 || slice.rows > config.max_positions) {
      return fail(Code::kInvalidArgument,
                  fmt::format("a slice of sequence {} has {} rows, not 1 to {}", slice.sequence,
                              slice.rows, config.max_positions));
    }
    rows += slice.rows;
    if (!slice.sampling) continue;
    if (layers.end != config.layers) {
      return fail(Code::kInvalidArgument,
                  fmt::format("layers {} to {} of {} have no head to sample at", layers.begin,
                              layers.end, config.layers));
    }
    TRY(check_sampling(*slice.sampling, config.vocabulary));
  }
  if (rows == 0 || rows > INT32_MAX) {
    return fail(Code::kInvalidArgument, fmt::format("a step of {} rows", rows));
  }
  if (layers.begin == 0) return check_tokens(step, config, rows);
  if (std::ssize(step.hidden) != rows * config.hidden) {
    return fail(Code::kInvalidArgument,
                fmt::format("a step of {} rows came with {} numbers, not {} a row", rows,
                            step.hidden.size(), config.hidden));
  }
  return {};
}

}  // namespace binnacle::engine
