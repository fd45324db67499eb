#include "engine/model/layer_weights.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace binnacle::engine {
namespace {

class Reader {
 public:
  Reader(const ModelFolder& folder, RangeWeights& range) : folder_(folder), range_(range) {}

  Result<Matrix> matrix(const std::string& name, int64_t out, int64_t in) {
    TRY_ASSIGN(const TensorView view, folder_.tensor(name));
    const Matrix matrix{view.bytes.data(), view.type, out, in};
    if (view.shape != std::vector<int64_t>{out, in} ||
        static_cast<int64_t>(view.bytes.size()) != matrix.bytes()) {
      return fail(Code::kDataLoss, fmt::format("tensor {} has shape [{}], not [{}, {}]", name,
                                               fmt::join(view.shape, ", "), out, in));
    }
    range_.bytes += matrix.bytes();
    return matrix;
  }

  Result<std::vector<float>> vector(const std::string& name, int64_t count) {
    TRY_ASSIGN(const TensorView view, folder_.tensor(name));
    const Matrix row{view.bytes.data(), view.type, 1, count};
    if (view.shape != std::vector<int64_t>{count} ||
        static_cast<int64_t>(view.bytes.size()) != row.bytes()) {
      return fail(Code::kDataLoss, fmt::format("tensor {} has shape [{}], not [{}]", name,
                                               fmt::join(view.shape, ", "), count));
    }
    range_.bytes += row.bytes();
    std::vector<float> values(static_cast<size_t>(count));
    to_floats(row, 0, values);
    return values;
  }

  Result<FeedForward> feed_forward(const std::string& name, int64_t hidden, int64_t inner) {
    FeedForward ffn;
    TRY_ASSIGN(ffn.gate, matrix(name + ".gate", inner, hidden));
    TRY_ASSIGN(ffn.up, matrix(name + ".up", inner, hidden));
    TRY_ASSIGN(ffn.down, matrix(name + ".down", hidden, inner));
    return ffn;
  }

 private:
  const ModelFolder& folder_;
  RangeWeights& range_;
};

Status read_attention(Reader& reader, const ModelConfig& config, const std::string& name,
                      LayerWeights& layer) {
  const int64_t hidden = config.hidden;
  const int64_t query = int64_t{config.heads} * config.head_size;
  const int64_t key = int64_t{config.kv_heads} * config.head_size;
  TRY_ASSIGN(layer.attention_norm, reader.vector(name + ".attention_norm", hidden));
  TRY_ASSIGN(layer.ffn_norm, reader.vector(name + ".ffn_norm", hidden));
  TRY_ASSIGN(layer.q, reader.matrix(name + ".q", query, hidden));
  TRY_ASSIGN(layer.k, reader.matrix(name + ".k", key, hidden));
  TRY_ASSIGN(layer.v, reader.matrix(name + ".v", key, hidden));
  TRY_ASSIGN(layer.o, reader.matrix(name + ".o", hidden, query));
  if (!config.attention_bias) return {};
  TRY_ASSIGN(layer.q_bias, reader.vector(name + ".q.bias", query));
  TRY_ASSIGN(layer.k_bias, reader.vector(name + ".k.bias", key));
  TRY_ASSIGN(layer.v_bias, reader.vector(name + ".v.bias", key));
  return {};
}

Status read_experts(Reader& reader, const ModelConfig& config, const std::string& name,
                    LayerWeights& layer, RangeWeights& range) {
  TRY_ASSIGN(layer.router, reader.matrix(name + ".router", config.experts, config.hidden));
  for (int32_t e = 0; e < config.experts; ++e) {
    TRY_ASSIGN(FeedForward expert, reader.feed_forward(fmt::format("{}.expert.{}", name, e),
                                                       config.hidden, config.expert_ffn));
    range.expert_bytes += expert.bytes();
    layer.experts.push_back(expert);
  }
  if (config.shared_expert_ffn == 0) return {};
  TRY_ASSIGN(layer.shared,
             reader.feed_forward(name + ".shared", config.hidden, config.shared_expert_ffn));
  TRY_ASSIGN(layer.shared_router, reader.matrix(name + ".shared.router", 1, config.hidden));
  return {};
}

}  // namespace

void to_floats(const Matrix& matrix, int64_t row, std::span<float> out) {
  const std::byte* from = matrix.weights + row * matrix.row_bytes();
  if (matrix.type == NumberType::kFloat32) {
    std::memcpy(out.data(), from, out.size_bytes());
    return;
  }
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t upper = 0;
    std::memcpy(&upper, from + i * sizeof upper, sizeof upper);
    out[i] = std::bit_cast<float>(uint32_t{upper} << 16);
  }
}

Result<RangeWeights> read_weights(const ModelFolder& folder, LayerRange layers) {
  const ModelConfig& config = folder.config();
  RangeWeights range;
  Reader reader(folder, range);
  for (int32_t l = layers.begin; l < layers.end; ++l) {
    const std::string name = fmt::format("layer.{}", l);
    LayerWeights& layer = range.layers.emplace_back();
    TRY(read_attention(reader, config, name, layer));
    if (config.experts > 0) {
      TRY(read_experts(reader, config, name, layer, range));
    } else {
      TRY_ASSIGN(layer.dense, reader.feed_forward(name, config.hidden, config.ffn));
    }
  }
  if (layers.begin == 0) {
    TRY_ASSIGN(range.embed, reader.matrix("embed", config.vocabulary, config.hidden));
  }
  if (layers.end == config.layers) {
    TRY_ASSIGN(range.norm, reader.vector("norm", config.hidden));
    TRY_ASSIGN(range.head, reader.matrix(config.tied_embeddings ? "embed" : "head",
                                         config.vocabulary, config.hidden));
    // Tied and both ends here: one matrix, counted once.
    if (config.tied_embeddings && layers.begin == 0) range.bytes -= range.head.bytes();
  }
  return range;
}

}  // namespace binnacle::engine
