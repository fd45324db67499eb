#include "engine/pipeline/node_facts.h"

#include <fmt/format.h>

#include "base/version.h"

namespace binnacle::engine {
namespace {

link::Fact software() { return {"engine", fmt::format("binnacle-engine {}", version())}; }

// An order may name the model by a path.
std::string_view last_part(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

link::Facts worker_node_facts(const StageView& view, const std::string& says) {
  link::Facts out{{software(), {"layers", says}}};
  if (!view.order || view.order->weights_hash.empty()) return out;
  const LayerRange layers = view.order->layers;
  const std::string range = fmt::format("/{}-{}", layers.begin, layers.end);
  const std::string_view model = last_part(view.order->model);
  constexpr std::string_view kKind = "model_hash/";
  const size_t room = link::kMaxFactNameBytes - kKind.size() - range.size();
  out.facts.push_back(
      {fmt::format("{}{}{}", kKind, model.substr(0, room), range), view.order->weights_hash});
  return out;
}

link::Facts serving_node_facts(const Checkpoint& checkpoint) {
  link::Facts out{{software(), {"model", checkpoint.served->name}}};
  const ModelSource& source = checkpoint.source;
  if (source.hash) out.facts.push_back({"model_hash", source.hash({0, source.config.layers})});
  return out;
}

}  // namespace binnacle::engine
