#include "engine/model/testing/reference_forward.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <string>

#include "base/check.h"
#include "engine/model/bfloat16.h"

namespace binnacle::engine {
namespace {

using Vector = std::vector<double>;

class Reference {
 public:
  explicit Reference(const ModelFolder& folder) : folder_(folder), config_(folder.config()) {}

  std::vector<Vector> logprobs(std::span<const int32_t> tokens) {
    std::vector<Vector> states;
    const Vector& embed = tensor("embed");
    const auto hidden = static_cast<size_t>(config_.hidden);
    for (const int32_t token : tokens) {
      const auto from = embed.begin() + int64_t{token} * config_.hidden;
      states.emplace_back(from, from + static_cast<int64_t>(hidden));
    }
    for (int layer = 0; layer < config_.layers; ++layer) run_layer(layer, states);
    std::vector<Vector> out;
    for (const Vector& x : states) {
      Vector logits = times(config_.tied_embeddings ? "embed" : "head", norm(x, "norm"));
      double total = 0;
      for (const double logit : logits) total += std::exp(logit);
      for (double& logit : logits) logit -= std::log(total);
      out.push_back(logits);
    }
    return out;
  }

 private:
  const Vector& tensor(const std::string& name) {
    if (const auto found = tensors_.find(name); found != tensors_.end()) return found->second;
    const auto view = folder_.tensor(name);
    CHECK(view.has_value());
    Vector values;
    const size_t size = view->type == NumberType::kFloat32 ? 4 : 2;
    for (size_t at = 0; at < view->bytes.size(); at += size) {
      float number = 0;
      uint16_t half = 0;
      std::memcpy(size == 4 ? static_cast<void*>(&number) : &half, &view->bytes[at], size);
      values.push_back(size == 4 ? number : from_bfloat16(half));
    }
    return tensors_[name] = values;
  }

  Vector times(const std::string& matrix, const Vector& x) {
    const Vector& w = tensor(matrix);
    Vector y(w.size() / x.size());
    for (size_t o = 0; o < y.size(); ++o) {
      for (size_t i = 0; i < x.size(); ++i) y[o] += w[o * x.size() + i] * x[i];
    }
    return y;
  }

  Vector norm(const Vector& x, const std::string& weight) {
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double root =
        std::sqrt(squares / static_cast<double>(x.size()) + double{config_.rms_epsilon});
    Vector out = x;
    for (size_t i = 0; i < x.size(); ++i) out[i] *= tensor(weight)[i] / root;
    return out;
  }

  static void add(Vector& to, const Vector& from, double factor = 1) {
    for (size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
  }

  // The first half of each head's numbers are real parts, the second imaginary ones.
  void rotate(Vector& heads, size_t position) const {
    const auto size = static_cast<size_t>(config_.head_size);
    for (size_t head = 0; head < heads.size(); head += size) {
      for (size_t i = 0; i < size / 2; ++i) {
        const double angle = static_cast<double>(position) *
                             std::pow(double{config_.rope_theta},
                                      -2.0 * static_cast<double>(i) / static_cast<double>(size));
        const double real = heads[head + i];
        const double imaginary = heads[head + i + size / 2];
        heads[head + i] = real * std::cos(angle) - imaginary * std::sin(angle);
        heads[head + i + size / 2] = imaginary * std::cos(angle) + real * std::sin(angle);
      }
    }
  }

  Vector project(const std::string& name, const Vector& x) {
    Vector y = times(name, x);
    if (config_.attention_bias) add(y, tensor(name + ".bias"));
    return y;
  }

  void run_layer(int layer, std::vector<Vector>& states) {
    const std::string name = "layer." + std::to_string(layer);
    std::vector<Vector> keys;
    std::vector<Vector> values;
    for (size_t position = 0; position < states.size(); ++position) {
      Vector& x = states[position];
      const Vector normed = norm(x, name + ".attention_norm");
      Vector query = project(name + ".q", normed);
      keys.push_back(project(name + ".k", normed));
      values.push_back(project(name + ".v", normed));
      rotate(query, position);
      rotate(keys.back(), position);
      add(x, times(name + ".o", attend(query, keys, values)));
      add(x, feed_forward(name, norm(x, name + ".ffn_norm")));
    }
  }

  Vector attend(const Vector& query, const std::vector<Vector>& keys,
                const std::vector<Vector>& values) const {
    const auto size = static_cast<size_t>(config_.head_size);
    const auto group = static_cast<size_t>(config_.heads / config_.kv_heads);
    Vector out(query.size());
    for (size_t head = 0; head < static_cast<size_t>(config_.heads); ++head) {
      const size_t from = head / group * size;
      Vector weights;
      for (const Vector& key : keys) {
        double score = 0;
        for (size_t i = 0; i < size; ++i) score += query[head * size + i] * key[from + i];
        weights.push_back(std::exp(score / std::sqrt(static_cast<double>(size))));
      }
      const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
      for (size_t p = 0; p < values.size(); ++p) {
        for (size_t i = 0; i < size; ++i) {
          out[head * size + i] += weights[p] / total * values[p][from + i];
        }
      }
    }
    return out;
  }

  Vector swiglu(const std::string& name, const Vector& x) {
    Vector inner = times(name + ".gate", x);
    const Vector up = times(name + ".up", x);
    for (size_t i = 0; i < inner.size(); ++i) inner[i] *= up[i] / (1 + std::exp(-inner[i]));
    return times(name + ".down", inner);
  }

  Vector feed_forward(const std::string& name, const Vector& x) {
    if (config_.experts == 0) return swiglu(name, x);
    Vector odds = times(name + ".router", x);
    for (double& odd : odds) odd = std::exp(odd);
    const double all = std::accumulate(odds.begin(), odds.end(), 0.0);
    std::vector<size_t> order(odds.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return odds[a] > odds[b]; });
    order.resize(static_cast<size_t>(config_.experts_per_token));
    double chosen = 0;
    for (const size_t expert : order) chosen += odds[expert];
    Vector out(x.size());
    for (const size_t expert : order) {
      const double weight = odds[expert] / (config_.normalize_expert_weights ? chosen : all);
      add(out, swiglu(name + ".expert." + std::to_string(expert), x), weight);
    }
    if (config_.shared_expert_ffn > 0) {
      const double gate = 1 / (1 + std::exp(-times(name + ".shared.router", x).at(0)));
      add(out, swiglu(name + ".shared", x), gate);
    }
    return out;
  }

  const ModelFolder& folder_;
  const ModelConfig& config_;
  std::map<std::string, Vector> tensors_;
};

}  // namespace

std::vector<std::vector<double>> reference_logprobs(const ModelFolder& folder,
                                                    std::span<const int32_t> tokens) {
  return Reference(folder).logprobs(tokens);
}

}  // namespace binnacle::engine
