// binnacle-engine-train: what `binnacle-engine train` becomes once the variables are set that
// libtorch's libraries read when they are loaded. A program of its own, because these cost 335
// shared libraries, half a second and 160 MB, which no worker should carry.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/os_process.h"
#include "base/signals.h"
#include "engine/model/model_folder.h"
#include "engine/train/train_process.h"

namespace binnacle::engine {
namespace {

constexpr int64_t kLineEveryMs = 5'000;
constexpr int64_t kBarEveryMs = 200;
constexpr int kBarWidth = 24;
// What other ranks are given beside the usual variables.
constexpr std::array kTensorVariables{"OPENBLAS_CORETYPE", "DNNL_MAX_CPU_ISA", "OMP_WAIT_POLICY"};

struct Line {
  TrainArgs args;
  std::string preset = "demo";
  std::string shape_of;  // a model folder
  int32_t layers = 0;
  int32_t hidden = 0;
  int32_t experts = -1;
  int32_t experts_per_token = 0;
  int32_t expert_ffn = 0;
  std::string progress = "auto";
  bool bfloat16 = false;
};

// How far it is, for people: a bar that is drawn anew on a terminal, else a line now and then.
class Progress {
 public:
  Progress(bool bar, int64_t steps) : bar_(bar), steps_(steps) {}

  void step(const StepFigures& f) {
    const int64_t now_ms = clock_.monotonic_ms();
    if (f.step < steps_ && now_ms - shown_ms_ < (bar_ ? kBarEveryMs : kLineEveryMs)) return;
    shown_ms_ = now_ms;
    const double left_s = f.tokens_per_second > 0
                              ? static_cast<double>(steps_ - f.step) *
                                    static_cast<double>(f.tokens) / f.tokens_per_second
                              : 0;
    const auto left = static_cast<int64_t>(left_s);
    const std::string text =
        fmt::format("step {}/{}  loss {:.3f}{}  {:.0f} tokens/s  {}:{:02}:{:02} left", f.step,
                    steps_, f.loss.cross_entropy, validation_, f.tokens_per_second, left / 3600,
                    left / 60 % 60, left % 60);
    if (!bar_) {
      say(text);
      return;
    }
    const auto done = static_cast<size_t>(f.step * kBarWidth / steps_);
    const std::string rest(kBarWidth - done, '.');
    std::printf("\r\x1b[K[%s%s] %s", std::string(done, '#').c_str(), rest.c_str(), text.c_str());
    open_line_ = true;
    (void)std::fflush(stdout);
  }
  void validated(double loss) { validation_ = fmt::format("  validation {:.3f}", loss); }
  void say(const std::string& text) {
    end_line();
    std::printf("%s\n", text.c_str());
    (void)std::fflush(stdout);
  }
  void end_line() {
    if (open_line_) std::printf("\n");
    open_line_ = false;
  }

 private:
  const bool bar_;
  const int64_t steps_;
  const SystemClock clock_;
  int64_t shown_ms_ = 0;
  bool open_line_ = false;
  std::string validation_;
};

// The other ranks of a run on this machine; they end with it.
class OtherRanks {
 public:
  OtherRanks(int argc, char** argv) : words_(argv + 1, argv + argc) {}

  Status start(int32_t ranks, const std::string& address) {
    TRY_ASSIGN(const std::string program, this_program());
    for (int32_t rank = 1; rank < ranks; ++rank) {
      ProgramSpec spec;
      spec.argv.push_back(program);
      spec.argv.insert(spec.argv.end(), words_.begin(), words_.end());
      spec.argv.insert(spec.argv.end(), {"--rank", std::to_string(rank), "--coordinator", address});
      for (const char* name : kTensorVariables) {
        if (const char* value = std::getenv(name)) spec.environment.emplace_back(name, value);
      }
      TRY_ASSIGN(auto process, OsProcess::start(spec));
      // What a rank has to say goes into its log file.
      ::close(process->take_out());
      ::close(process->take_err());
      processes_.push_back(std::move(process));
    }
    return {};
  }

 private:
  const std::vector<std::string> words_;
  std::vector<std::unique_ptr<OsProcess>> processes_;
};

void add_model_options(CLI::App& app, Line& line) {
  ModelConfig& c = line.args.settings.shape.config;
  app.add_option("--preset", line.preset, "Shape of the model: tiny, demo, small (demo)");
  app.add_option("--shape-of", line.shape_of, "The shape of this model folder instead");
  app.add_option("--layers", line.layers, "Another number of layers than the preset's");
  app.add_option("--hidden", line.hidden, "Another width; heads and experts follow");
  app.add_option("--experts", line.experts, "Another number of experts; 0: dense");
  app.add_option("--experts-per-token", line.experts_per_token, "Experts that a token goes to");
  app.add_option("--expert-ffn", line.expert_ffn, "Width of an expert");
  app.add_option("--capacity-factor", line.args.settings.shape.capacity_factor,
                 "An expert's share beyond which tokens are dropped; 0: none are (0)");
  app.add_option("--load-balance-loss", c.load_balance_loss_weight, "Weight (0.01)");
  app.add_option("--z-loss", c.z_loss_weight, "Weight (0.001)");
}

void add_run_options(CLI::App& app, TrainSettings& s) {
  app.add_option("--rows", s.rows, "Sequences of a step and rank (8)");
  app.add_option("--length", s.length, "Tokens of a sequence (256)");
  app.add_option("--steps", s.steps, "Steps in all (2000)");
  app.add_option("--seed", s.seed, "Of weights and batches (1)");
  app.add_option("--learning-rate", s.optimizer.learning_rate, "At its peak (0.003)");
  app.add_option("--warm-up", s.optimizer.warm_up_steps, "Steps to the peak (50)");
  app.add_option("--weight-decay", s.optimizer.weight_decay, "Of matrices (0.1)");
  app.add_option("--clip", s.optimizer.clip_norm, "Longest gradient (1)");
  app.add_option("--validate-every", s.validate_every, "Steps; 0: never (50)");
  app.add_option("--checkpoint-every", s.checkpoint_every, "Steps (100)");
  app.add_option("--keep", s.checkpoints_kept, "Checkpoints (3)");
  app.add_option("--max-skipped", s.guard.max_skipped_in_a_row,
                 "Skipped steps in a row that end the run (20)");
  app.add_option("--stall-after-ms", s.guard.shortest_stall_ms,
                 "Shortest time without a step that is a stall (30000)");
  app.add_option("--peak-flops", s.peak_flops, "Of a rank, for the utilisation; 0: measured (0)");
}

void add_process_options(CLI::App& app, Line& line) {
  TrainArgs& a = line.args;
  app.add_option("--data", a.data, "Folder of texts")->required();
  app.add_option("--out", a.out, "Folder of checkpoints and of the model")->required();
  app.add_flag("--skip-binary", a.corpus.skip_binary, "Leave out what is no UTF-8 text");
  app.add_option("--max-bytes", a.corpus.max_bytes, "Of text in all (1 GiB)");
  app.add_option("--max-files", a.corpus.max_files, "Texts in all (100000)");
  app.add_option("--validation-share", a.corpus.validation_share, "Of each text (0.05)")
      ->check(CLI::Range(0.0, 0.9));
  app.add_flag("--bf16", line.bfloat16, "Write the model folder in bf16");
  app.add_option("--threads", a.threads, "Of tensors; 0: all processors over the ranks (0)");
  app.add_option("--http", a.http, "Serve /metrics and /health here, host:port");
  app.add_option("--server", a.server, "Binnacle server to report to, http://host:port");
  app.add_option("--token", a.token, "One-use token of `binnacle key join-token`");
  app.add_option("--name", a.name, "Name of this node (trainer)");
  app.add_option("--cluster", a.cluster, "Label `cluster` (default)");
  app.add_option("--ranks", a.settings.ranks, "Processes of this run (1)");
  app.add_option("--rank", a.settings.rank,
                 "Which of them this is; without --coordinator rank 0 starts the others here");
  app.add_option("--coordinator", a.coordinator, "Address of rank 0, host:port");
  app.add_option("--tls-certificate", a.tls.certificate_file, "PEM, between ranks");
  app.add_option("--tls-key", a.tls.key_file, "PEM");
  app.add_option("--tls-ca", a.tls.ca_file, "PEM");
  app.add_flag("--insecure", a.insecure, "Let others reach this process without keys or TLS");
  app.add_option("--progress", line.progress, "auto, bar, lines or none (auto)")
      ->check(CLI::IsMember({"auto", "bar", "lines", "none"}));
}

Status shape_model(Line& line) {
  ModelConfig& c = line.args.settings.shape.config;
  const float balance = c.load_balance_loss_weight;
  const float z = c.z_loss_weight;
  if (!line.shape_of.empty()) {
    TRY_ASSIGN(const auto folder, ModelFolder::open(line.shape_of));
    c = folder->config();
  } else {
    TRY_ASSIGN(c, preset_model(line.preset));
  }
  c.load_balance_loss_weight = balance;
  c.z_loss_weight = z;
  if (line.layers > 0) c.layers = line.layers;
  if (line.hidden > 0) {
    if (line.hidden % (2 * c.head_size) != 0) {
      return fail(Code::kInvalidArgument, fmt::format("--hidden must be a multiple of {} ({})",
                                                      2 * c.head_size, line.hidden));
    }
    c.ffn = 3 * line.hidden;
    c.expert_ffn = 2 * line.hidden;
    c.hidden = line.hidden;
    c.heads = line.hidden / c.head_size;
    c.kv_heads = c.heads / 2;
  }
  if (line.experts >= 0) c.experts = line.experts;
  if (line.experts_per_token > 0) c.experts_per_token = line.experts_per_token;
  if (line.expert_ffn > 0) c.expert_ffn = line.expert_ffn;
  if (c.experts == 0) c.experts_per_token = 0;
  c.architecture = c.experts > 0 ? "MixtralForCausalLM" : "LlamaForCausalLM";
  line.args.export_type = line.bfloat16 ? NumberType::kBfloat16 : NumberType::kFloat32;
  return {};
}

Result<bool> run(Line& line, int argc, char** argv) {
  TRY(shape_model(line));
  TrainArgs& args = line.args;
  const bool first = args.settings.rank == 0;
  const bool bar = line.progress == "bar" || (line.progress == "auto" && ::isatty(1) == 1);
  Progress progress(bar, args.settings.steps);
  OtherRanks others(argc, argv);
  TrainView view;
  if (first && line.progress != "none") {
    view.say = [&](const std::string& text) { progress.say(text); };
    view.step = [&](const StepFigures& figures) { progress.step(figures); };
    view.validated = [&](double loss) { progress.validated(loss); };
  }
  if (first && args.settings.ranks > 1 && args.coordinator.empty()) {
    args.coordinator = "127.0.0.1:0";
    view.start_others = [&](const std::string& address) {
      return others.start(args.settings.ranks, address);
    };
  }
  if (!first) args.http.clear();  // rank 0 tells of all
  auto stopped = run_training(args, view);
  progress.end_line();
  return stopped;
}

int train_main(int argc, char** argv) {
  CLI::App app("Train a model on a folder of texts, until --steps or SIGTERM; goes on from --out.",
               "binnacle-engine train");
  // What a script puts before, a person may say again.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Line line;
  add_process_options(app, line);
  add_model_options(app, line);
  add_run_options(app, line.args.settings);
  CLI11_PARSE(app, argc, argv);
  LogOptions log;
  log.service = "binnacle-engine";
  if (line.args.settings.rank > 0) {
    log.file = fmt::format("{}/rank-{}.log", line.args.out, line.args.settings.rank);
  }
  if (auto status = configure_logging(log); !status) {
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
    return 1;
  }
  const auto stopped = run(line, argc, argv);
  if (!stopped) {
    Log("train").error("training failed", {{"error", stopped.error().message}});
    std::fprintf(stderr, "binnacle-engine train: %s\n", stopped.error().message.c_str());
    return 1;
  }
  if (line.args.settings.rank == 0 && line.progress != "none") {
    std::printf("%s; model: %s/model\n", *stopped ? "stopped, a checkpoint is written" : "done",
                line.args.out.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace binnacle::engine

int main(int argc, char** argv) {
  binnacle::block_signals();
  return binnacle::engine::train_main(argc, argv);
}
