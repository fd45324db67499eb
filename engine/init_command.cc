#include "engine/init_command.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <iostream>
#include <memory>

#include "engine/model/model_folder.h"
#include "engine/model/tokenizer.h"

namespace binnacle::engine {
namespace {

struct Preset {
  const char* name;
  int32_t layers, hidden, heads, kv_heads, ffn, positions;
};

// "1b" has the layers of a common model of that size; the vocabulary is that of bytes everywhere.
constexpr std::array kPresets = {
    Preset{"tiny", 4, 64, 4, 2, 192, 2048},
    Preset{"demo", 6, 256, 8, 4, 768, 4096},
    Preset{"1b", 22, 2048, 32, 4, 5632, 8192},
};

ModelConfig config_of(const InitCommand& command, const Preset& preset) {
  ModelConfig config;
  config.name = command.name;
  config.layers = command.layers.value_or(preset.layers);
  config.hidden = command.hidden.value_or(preset.hidden);
  // Heads stay as wide as the preset has them, unless their number is given.
  const int32_t width = preset.hidden / preset.heads;
  config.heads = command.heads.value_or(std::max(1, config.hidden / width));
  const bool shared = config.heads % preset.kv_heads == 0;
  config.kv_heads = command.kv_heads.value_or(shared ? preset.kv_heads : config.heads);
  config.head_size =
      command.head_size.value_or(config.heads > 0 ? config.hidden / config.heads : 0);
  config.vocabulary = command.vocabulary.value_or(kByteVocabulary);
  config.max_positions = command.positions.value_or(preset.positions);
  config.tied_embeddings = command.tied;
  if (config.vocabulary == kByteVocabulary) {
    config.begin_token = kByteBegin;
    config.end_tokens = {kByteEnd};
  }
  const int32_t ffn = command.ffn.value_or(
      static_cast<int32_t>(int64_t{preset.ffn} * config.hidden / preset.hidden));
  config.experts = command.experts.value_or(0);
  if (config.experts == 0) {
    config.ffn = ffn;
    return config;
  }
  config.experts_per_token = command.experts_per_token.value_or(std::min(2, config.experts));
  config.expert_ffn = ffn;
  return config;
}

// A line that is written over, each whole percent.
class ProgressLine {
 public:
  ProgressLine(bool shown, std::ostream& out) : shown_(shown), out_(out) {}
  ~ProgressLine() {
    if (percent_ >= 0) out_ << '\n';
  }

  void tell(int64_t done, int64_t total) {
    const int64_t percent = total > 0 ? done * 100 / total : 100;
    if (!shown_ || percent == percent_) return;
    percent_ = percent;
    out_ << fmt::format("\rwriting {:>3} % of {:.1f} MB", percent, static_cast<double>(total) / 1e6)
         << std::flush;
  }

 private:
  const bool shown_;
  std::ostream& out_;
  int64_t percent_ = -1;
};

int refuse(std::string_view message, std::ostream& err) {
  err << message << '\n';
  return 1;
}

void tell_written(const InitCommand& command, const ModelConfig& config, std::ostream& out) {
  const char* const type = command.type == NumberType::kBfloat16 ? "bf16" : "fp32";
  out << fmt::format("{}: {} parameters in {}, {} layers of {}, {}\n", command.folder,
                     config.parameters(), type, config.layers, config.hidden,
                     config.experts == 0 ? "dense"
                                         : fmt::format("{} experts, {} for a token", config.experts,
                                                       config.experts_per_token));
  if (config.vocabulary != kByteVocabulary) {
    out << fmt::format(
        "A vocabulary of {} needs a tokenizer.json in the folder before it serves "
        "text.\n",
        config.vocabulary);
  }
}

void add_shape_options(CLI::App& sub, InitCommand& c) {
  sub.add_option("--layers", c.layers, "Layers");
  sub.add_option("--hidden", c.hidden, "Width of a row between layers");
  sub.add_option("--heads", c.heads, "Attention heads");
  sub.add_option("--kv-heads", c.kv_heads, "Heads of keys and values; divides --heads");
  sub.add_option("--head-size", c.head_size, "Width of a head; default: hidden / heads");
  sub.add_option("--ffn", c.ffn, "Width inside the feed-forward part, or inside one expert");
  sub.add_option("--vocabulary", c.vocabulary,
                 fmt::format("Tokens; {} is that of bytes, any other needs a tokenizer.json",
                             kByteVocabulary));
  sub.add_option("--positions", c.positions, "Longest context");
  sub.add_option("--experts", c.experts, "Experts of a layer; 0: dense");
  sub.add_option("--experts-per-token", c.experts_per_token, "Experts that a token uses");
  sub.add_flag("--tied", c.tied, "The head is the embedding");
}

}  // namespace

int run_init_command(const InitCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err) {
  const auto* const preset = std::ranges::find(kPresets, command.preset,
                                               [](const Preset& p) { return std::string(p.name); });
  if (preset == kPresets.end()) {
    return refuse(fmt::format("preset \"{}\" is not known (known: tiny, demo, 1b)", command.preset),
                  err);
  }
  const ModelConfig config = config_of(command, *preset);
  if (auto checked = check_model_config(config); !checked) {
    return refuse("init: " + checked.error().message, err);
  }
  if (!command.replace && files.exists(command.folder + "/config.json")) {
    return refuse(fmt::format("init: {} holds a model already; --replace writes a new one over it",
                              command.folder),
                  err);
  }
  Status written;
  {
    ProgressLine line(command.progress, err);
    written = write_random_model(
        command.folder, config, command.type, command.seed,
        [&](int64_t done, int64_t total) { line.tell(done, total); }, files);
  }
  if (!written) return refuse("init: " + written.error().message, err);
  tell_written(command, config, out);
  return 0;
}

void add_init_command(CLI::App& root, int& exit_code) {
  CLI::App* sub = root.add_subcommand("init", "Write a model with random weights");
  const auto command = std::make_shared<InitCommand>();
  const auto type = std::make_shared<std::string>("fp32");
  const auto quiet = std::make_shared<bool>(false);
  sub->add_option("--out", command->folder, "Folder of the model; made when it is missing")
      ->required();
  sub->add_option("--preset", command->preset,
                  "Shape of what is not given: tiny (0.2 M parameters), demo (4.9 M), 1b (1.0 B)")
      ->capture_default_str();
  add_shape_options(*sub, *command);
  sub->add_option("--type", *type, "Type of the weights")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  sub->add_option("--seed", command->seed, "The same seed gives the same weights")
      ->capture_default_str();
  sub->add_option("--name", command->name, "Name of the model; default: the folder's");
  sub->add_flag("--replace", command->replace, "Write over a model that is there");
  sub->add_flag("--quiet", *quiet, "No progress");
  sub->callback([command, type, quiet, &exit_code] {
    command->type = *type == "bf16" ? NumberType::kBfloat16 : NumberType::kFloat32;
    command->progress = !*quiet;
    exit_code = run_init_command(*command, real_file_system(), std::cout, std::cerr);
  });
}

}  // namespace binnacle::engine
