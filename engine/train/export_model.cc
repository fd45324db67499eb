#include "engine/train/export_model.h"

#include <utility>
#include <vector>

#include "engine/model/model_folder.h"

namespace binnacle::engine {

Status export_model(TorchModel& model, const ModelConfig& config, NumberType type,
                    const std::string& folder) {
  std::vector<NamedTensor> tensors;
  for (const ParameterRange& range : model.ranges()) {
    const float* begin = model.parameters() + range.offset;
    tensors.push_back({range.name, range.shape, std::vector<float>(begin, begin + range.size)});
  }
  auto written = write_model_folder(folder, config, type, tensors);
  if (!written) return fail(std::move(written).error().with_context("write model " + folder));
  return {};
}

}  // namespace binnacle::engine
