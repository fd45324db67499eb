#include "engine/pipeline/checkpoint.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/model/model_folder.h"

namespace binnacle::engine {
namespace {

std::string last_part(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder.substr(folder.rfind('/') + 1);
}

}  // namespace

Result<Checkpoint> load_checkpoint(const CheckpointOptions& options, FileSystem& files,
                                   const Clock& clock) {
  Checkpoint checkpoint;
  ModelSource& source = checkpoint.source;
  source.folder = options.folder;
  source.name = last_part(options.folder);
  if (options.emulated) {
    TRY_ASSIGN(source.config, read_model_config(options.folder, files));
  } else {
    TRY_ASSIGN(std::shared_ptr<ModelFolder> folder, ModelFolder::open(options.folder));
    source.config = folder->config();
    source.number_type = folder->number_type();
    folder->hash({0, source.config.layers});  // computes and keeps those of all parts
    source.hash = [folder](LayerRange layers) { return folder->hash(layers); };
  }
  auto served = std::make_shared<ServedModel>();
  served->config = source.config;
  served->name = options.name.empty() ? source.config.name : options.name;
  if (served->name.empty()) served->name = source.name;
  TRY_ASSIGN(served->tokenizer, load_tokenizer(options.folder, files));
  if (served->tokenizer->vocabulary() > source.config.vocabulary) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: the tokenizer has {} tokens, the model {}", options.folder,
                            served->tokenizer->vocabulary(), source.config.vocabulary));
  }
  TRY_ASSIGN(served->chat_family, chat_family(source.config, *served->tokenizer));
  served->context =
      static_cast<int32_t>(std::min<int64_t>(source.config.max_positions, options.kv_positions));
  served->created_s = clock.wall_ms() / 1000;
  source.config.name = served->name;
  checkpoint.served = std::move(served);
  return checkpoint;
}

std::string checkpoint_stamp(const std::string& folder, FileSystem& files) {
  const auto entries = files.list(folder);
  if (!entries) return "";
  std::string stamp;
  for (const DirEntry& entry : *entries) {
    if (!entry.name.ends_with(".safetensors")) continue;
    const auto modified = files.modified_ms(folder + "/" + entry.name);
    if (modified) stamp += fmt::format("{}:{};", entry.name, *modified);
  }
  return stamp;
}

}  // namespace binnacle::engine
