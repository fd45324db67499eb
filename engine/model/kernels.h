// The arithmetic of a forward pass for one row at a time or for many, made for each instruction set
// from one source. Every result depends on its own inputs alone, never on the number of rows: the
// order of additions is fixed by the shapes (docs/engine.md, "Exactness and speed"). AVX-512 and
// AVX2 give the same bits, as both fuse products with sums; the portable one does not and so has
// another name. Pure functions; any thread, with denormals flushed (flush_denormals.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "engine/model/model_config.h"

namespace binnacle::engine {

// [out, in], row-major, little-endian; at any address.
struct Matrix {
  const std::byte* weights = nullptr;
  NumberType type = NumberType::kFloat32;
  int64_t out = 0;
  int64_t in = 0;

  int64_t row_bytes() const { return in * (type == NumberType::kFloat32 ? 4 : 2); }
  int64_t bytes() const { return out * row_bytes(); }
};

// y[r][o] = sum over i of matrix[o][i] * x[r][i], for every row and out_begin <= o < out_end.
struct Product {
  Matrix matrix;
  const float* x = nullptr;
  int64_t x_stride = 0;
  int64_t rows = 0;
  float* y = nullptr;
  int64_t y_stride = 0;
};

// The query heads that share one key-value head, at one position, over all positions up to it.
struct AttentionTask {
  const float* query = nullptr;  // heads x head_size, rotated
  int32_t heads = 0;
  int32_t head_size = 0;
  int32_t positions = 0;  // itself included
  // Of each page of kPagePositions: keys [head_size][position], values [position][value_stride].
  const float* const* keys = nullptr;
  const float* const* values = nullptr;
  int32_t value_stride = 0;  // head_size rounded up to whole lanes
  float* weights = nullptr;  // scratch: heads x whole pages
  float* out = nullptr;      // heads x head_size
};

struct Kernels {
  const char* instructions;  // "avx512", "avx2", "portable"
  const char* arithmetic;    // what decides the last bits

  void (*product)(const Product& product, int64_t out_begin, int64_t out_end);
  void (*attention)(const AttentionTask& task);
  // out = x / sqrt(mean of squares + epsilon) * weight
  void (*rms_norm)(const float* x, const float* weight, int64_t n, float epsilon, float* out);
  // gate = gate / (1 + e^-gate) * up
  void (*swiglu)(float* gate, const float* up, int64_t n);
  void (*softmax)(float* x, int64_t n);
  // to = from * factor + to
  void (*add_scaled)(float* to, const float* from, float factor, int64_t n);
  // Pairs (i, i + n / 2) of each head turned by the angle whose cosine and sine are given.
  void (*rotate)(float* head, const float* cosines, const float* sines, int64_t n);
  // The sum of n floats, a multiple of 128, as fast as memory gives them: for measuring it.
  float (*read)(const float* from, int64_t n);
};

// What this processor can run, the best first; the portable one is always there.
std::span<const Kernels* const> kernels();
// By `instructions`, "" for the best. kInvalidArgument names those that there are.
Result<const Kernels*> kernels_named(const std::string& instructions);

// Forward::kernel() of weights of this type: "fma16-ftz-v1/bf16".
std::string kernel_name(const Kernels& kernels, NumberType type);

}  // namespace binnacle::engine
