// Bodies are templates on the target's tile (how many outputs and rows are summed at once, by its
// number of registers); three functions with a target each instantiate them. The tile does not
// touch the order of additions, so a row's bits do not depend on it.
#include "engine/model/kernels.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/model/kv_pages.h"
#include "engine/model/lanes.h"

namespace binnacle::engine {
namespace {

static_assert(KvPages::kPagePositions == kLanes);

template <int outputs, int rows>
struct Tile {
  static constexpr int kOutputs = outputs;
  static constexpr int kRows = rows;
};

// `first`: these weights come from memory, so the next tile's are asked for; later rows find them
// in the cache.
template <typename T, int outputs, int rows>
BINNACLE_LANES void multiply_tile(const T* weights, const Product& p, int64_t row, int64_t output,
                                  bool first) {
  const int64_t in = p.matrix.in;
  const float* x = p.x + row * p.x_stride;
  const int64_t ahead = outputs * in;
  Lanes sums[outputs][rows] = {};
  int64_t i = 0;
  for (; i + kLanes <= in; i += kLanes) {
    Lanes inputs[rows];
    for (int r = 0; r < rows; ++r) load(inputs[r], x + r * p.x_stride + i);
    for (int o = 0; o < outputs; ++o) {
      const T* at = weights + o * in + i;
      if (first) __builtin_prefetch(at + ahead, 0, 3);
      Lanes w;
      load(w, at);
      for (int r = 0; r < rows; ++r) sums[o][r] = w * inputs[r] + sums[o][r];
    }
  }
  if (i < in) {
    Lanes inputs[rows];
    for (int r = 0; r < rows; ++r) load_part(inputs[r], x + r * p.x_stride + i, in - i);
    for (int o = 0; o < outputs; ++o) {
      Lanes w;
      load_part(w, weights + o * in + i, in - i);
      for (int r = 0; r < rows; ++r) sums[o][r] = w * inputs[r] + sums[o][r];
    }
  }
  for (int o = 0; o < outputs; ++o) {
    for (int r = 0; r < rows; ++r) {
      p.y[(row + r) * p.y_stride + output + o] = sum(sums[o][r]);
    }
  }
}

template <typename T, int outputs, int rows>
BINNACLE_LANES void multiply_rows(const T* weights, const Product& p, int64_t begin, int64_t end,
                                  int64_t output) {
  int64_t row = begin;
  for (; row + rows <= end; row += rows) {
    multiply_tile<T, outputs, rows>(weights, p, row, output, row == begin);
  }
  if constexpr (rows > 2) {
    if (row + 2 <= end) {
      multiply_tile<T, outputs, 2>(weights, p, row, output, row == begin);
      row += 2;
    }
  }
  for (; row < end; ++row) multiply_tile<T, outputs, 1>(weights, p, row, output, row == begin);
}

// Rows in blocks that stay in the cache while the outputs pass by.
constexpr int64_t kRowBlock = 16;

template <typename T, typename Tile>
BINNACLE_LANES void multiply(const Product& p, int64_t out_begin, int64_t out_end) {
  const T* weights = reinterpret_cast<const T*>(p.matrix.weights);
  for (int64_t begin = 0; begin < p.rows; begin += kRowBlock) {
    const int64_t end = begin + kRowBlock < p.rows ? begin + kRowBlock : p.rows;
    int64_t o = out_begin;
    for (; o + Tile::kOutputs <= out_end; o += Tile::kOutputs) {
      multiply_rows<T, Tile::kOutputs, Tile::kRows>(weights + o * p.matrix.in, p, begin, end, o);
    }
    for (; o < out_end; ++o) {
      multiply_rows<T, 1, Tile::kRows>(weights + o * p.matrix.in, p, begin, end, o);
    }
  }
}

template <typename Tile>
BINNACLE_LANES void product_body(const Product& p, int64_t out_begin, int64_t out_end) {
  if (p.matrix.type == NumberType::kFloat32) {
    multiply<float, Tile>(p, out_begin, out_end);
  } else {
    multiply<uint16_t, Tile>(p, out_begin, out_end);
  }
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Numbers of the lanes that are at or after `count` become `value`.
BINNACLE_LANES void blank_after(Lanes& v, int32_t count, float value) {
  for (int lane = 0; lane < kLanes; ++lane) v[lane] = lane < count ? v[lane] : value;
}

template <int heads>
BINNACLE_LANES void score_page(const AttentionTask& t, const float* keys, int head, int page,
                               int pages) {
  Lanes sums[heads] = {};
  for (int d = 0; d < t.head_size; ++d) {
    Lanes key;
    load(key, keys + d * kLanes);
    for (int h = 0; h < heads; ++h) {
      sums[h] = key * t.query[(head + h) * t.head_size + d] + sums[h];
    }
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(t.head_size));
  for (int h = 0; h < heads; ++h) {
    Lanes scores = sums[h] * scale;
    if (page == pages - 1) blank_after(scores, t.positions - page * kLanes, -kInfinity);
    store(t.weights + ((head + h) * pages + page) * kLanes, scores);
  }
}

// Scores to weights that add up to 1, as far as floats can: what they add up to divides at the end.
BINNACLE_LANES float weigh(float* scores, int pages, int32_t positions) {
  Lanes highest = Lanes(-kInfinity);
  for (int page = 0; page < pages; ++page) {
    Lanes v;
    load(v, scores + page * kLanes);
    highest = __builtin_elementwise_max(highest, v);
  }
  const float top = max_of(highest);
  Lanes total = {};
  for (int page = 0; page < pages; ++page) {
    Lanes v;
    load(v, scores + page * kLanes);
    v = v - top;
    exp_of(v);
    if (page == pages - 1) blank_after(v, positions - page * kLanes, 0);
    store(scores + page * kLanes, v);
    total = total + v;
  }
  return sum(total);
}

template <int heads>
BINNACLE_LANES void mix_values(const AttentionTask& t, int head, int pages, const float* totals) {
  for (int d = 0; d < t.head_size; d += kLanes) {
    Lanes sums[heads] = {};
    for (int page = 0; page < pages; ++page) {
      const float* values = t.values[page] + d;
      const int slots = page == pages - 1 ? t.positions - page * kLanes : kLanes;
      for (int slot = 0; slot < slots; ++slot) {
        Lanes value;
        load(value, values + slot * t.value_stride);
        for (int h = 0; h < heads; ++h) {
          sums[h] = value * t.weights[((head + h) * pages + page) * kLanes + slot] + sums[h];
        }
      }
    }
    for (int h = 0; h < heads; ++h) {
      const Lanes out = sums[h] / totals[h];
      float* to = t.out + (head + h) * t.head_size + d;
      store_part(to, out, t.head_size - d < kLanes ? t.head_size - d : kLanes);
    }
  }
}

template <int heads>
BINNACLE_LANES void attend(const AttentionTask& t, int head, int pages) {
  for (int page = 0; page < pages; ++page) score_page<heads>(t, t.keys[page], head, page, pages);
  float totals[heads];
  for (int h = 0; h < heads; ++h) {
    totals[h] = weigh(t.weights + (head + h) * pages * kLanes, pages, t.positions);
  }
  mix_values<heads>(t, head, pages, totals);
}

BINNACLE_LANES void attention_body(const AttentionTask& t) {
  const int pages = (t.positions + kLanes - 1) / kLanes;
  int head = 0;
  for (; head + 4 <= t.heads; head += 4) attend<4>(t, head, pages);
  for (; head < t.heads; ++head) attend<1>(t, head, pages);
}

BINNACLE_LANES void rms_norm_body(const float* x, const float* weight, int64_t n, float epsilon,
                                  float* out) {
  Lanes squares = {};
  int64_t i = 0;
  for (; i < n; i += kLanes) {
    Lanes v;
    if (n - i >= kLanes)
      load(v, x + i);
    else
      load_part(v, x + i, n - i);
    squares = v * v + squares;
  }
  const float factor = 1.0F / std::sqrt(sum(squares) / static_cast<float>(n) + epsilon);
  for (i = 0; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

BINNACLE_LANES void swiglu_lanes(Lanes& gate, const Lanes& up) {
  Lanes e = -gate;
  exp_of(e);
  gate = gate / (e + 1.0F) * up;
}

BINNACLE_LANES void swiglu_body(float* gate, const float* up, int64_t n) {
  Lanes g;
  Lanes u;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    load(g, gate + i);
    load(u, up + i);
    swiglu_lanes(g, u);
    store(gate + i, g);
  }
  if (i == n) return;
  load_part(g, gate + i, n - i);
  load_part(u, up + i, n - i);
  swiglu_lanes(g, u);
  store_part(gate + i, g, n - i);
}

BINNACLE_LANES void softmax_body(float* x, int64_t n) {
  float top = -kInfinity;
  for (int64_t i = 0; i < n; ++i) top = x[i] > top ? x[i] : top;
  Lanes total = {};
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t count = n - i < kLanes ? n - i : kLanes;
    Lanes v;
    load_part(v, x + i, count);
    v = v - top;
    exp_of(v);
    blank_after(v, static_cast<int32_t>(count), 0);
    total = total + v;
    store_part(x + i, v, count);
  }
  const float whole = sum(total);
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] / whole;
}

BINNACLE_LANES void add_scaled_body(float* to, const float* from, float factor, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i] * factor + to[i];
}

BINNACLE_LANES void rotate_body(float* head, const float* cosines, const float* sines, int64_t n) {
  const int64_t half = n / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float a = head[i];
    const float b = head[i + half];
    const float b_part = b * sines[i];
    const float a_part = a * sines[i];
    head[i] = a * cosines[i] - b_part;
    head[i + half] = b * cosines[i] + a_part;
  }
}

BINNACLE_LANES float read_body(const float* from, int64_t n) {
  constexpr int kAtOnce = 8;
  Lanes sums[kAtOnce] = {};
  for (int64_t i = 0; i < n; i += kAtOnce * kLanes) {
    for (int k = 0; k < kAtOnce; ++k) {
      Lanes v;
      load(v, from + i + k * kLanes);
      sums[k] = sums[k] + v;
    }
  }
  for (int k = 1; k < kAtOnce; ++k) sums[0] = sums[0] + sums[k];
  return sum(sums[0]);
}

#define BINNACLE_KERNELS(name, target, arithmetic_name, outputs, rows)                             \
  target void name##_product(const Product& p, int64_t begin, int64_t end) {                       \
    product_body<Tile<outputs, rows>>(p, begin, end);                                              \
  }                                                                                                \
  target void name##_attention(const AttentionTask& task) { attention_body(task); }                \
  target void name##_rms_norm(const float* x, const float* w, int64_t n, float e, float* out) {    \
    rms_norm_body(x, w, n, e, out);                                                                \
  }                                                                                                \
  target void name##_swiglu(float* gate, const float* up, int64_t n) { swiglu_body(gate, up, n); } \
  target void name##_softmax(float* x, int64_t n) { softmax_body(x, n); }                          \
  target void name##_add_scaled(float* to, const float* from, float factor, int64_t n) {           \
    add_scaled_body(to, from, factor, n);                                                          \
  }                                                                                                \
  target void name##_rotate(float* head, const float* c, const float* s, int64_t n) {              \
    rotate_body(head, c, s, n);                                                                    \
  }                                                                                                \
  target float name##_read(const float* from, int64_t n) { return read_body(from, n); }            \
  constexpr Kernels name##_kernels = {                                                             \
      #name,         arithmetic_name, name##_product,    name##_attention, name##_rms_norm,        \
      name##_swiglu, name##_softmax,  name##_add_scaled, name##_rotate,    name##_read};

#if defined(__x86_64__)
BINNACLE_KERNELS(avx512, [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]],
                 "fma16-ftz-v1", 4, 4)
BINNACLE_KERNELS(avx2, [[gnu::target("avx2,fma")]], "fma16-ftz-v1", 2, 2)
#endif
#if defined(__FMA__) || defined(__aarch64__)
BINNACLE_KERNELS(portable, , "fma16-ftz-v1", 2, 2)
#else
BINNACLE_KERNELS(portable, , "muladd16-ftz-v1", 1, 2)
#endif

std::vector<const Kernels*> find_kernels() {
  std::vector<const Kernels*> found;
#if defined(__x86_64__)
  const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    found.push_back(&avx512_kernels);
  }
  if (fma) found.push_back(&avx2_kernels);
#endif
  found.push_back(&portable_kernels);
  return found;
}

}  // namespace

std::span<const Kernels* const> kernels() {
  static const std::vector<const Kernels*> found = find_kernels();
  return found;
}

Result<const Kernels*> kernels_named(const std::string& instructions) {
  if (instructions.empty()) return kernels().front();
  std::string known;
  for (const Kernels* one : kernels()) {
    if (one->instructions == instructions) return one;
    known += known.empty() ? "" : ", ";
    known += one->instructions;
  }
  return fail(Code::kInvalidArgument,
              fmt::format("this processor has no \"{}\" kernels; it has {}", instructions, known));
}

std::string kernel_name(const Kernels& kernels, NumberType type) {
  return fmt::format("{}/{}", kernels.arithmetic,
                     type == NumberType::kFloat32 ? "float32" : "bfloat16");
}

}  // namespace binnacle::engine
