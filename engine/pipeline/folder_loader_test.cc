#include "engine/pipeline/folder_loader.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/clock.h"
#include "engine/model/model_folder.h"
#include "engine/pipeline/local_worker.h"
#include "engine/pipeline/worker_fixture.h"

namespace binnacle::engine {
namespace {

ModelConfig small_model() {
  ModelConfig config;
  config.name = "small";
  config.architecture = "LlamaForCausalLM";
  config.layers = 4;
  config.hidden = 32;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_size = 8;
  config.ffn = 48;
  config.vocabulary = 64;
  config.max_positions = 256;
  return config;
}

class FolderLoaderTest : public testing::Test {
 protected:
  FolderLoaderTest() {
    FileSystem& files = real_file_system();
    folder_ = testing::TempDir() + "/loader-" + secure_random_hex(8);
    for (const char* name : {"/a", "/b"}) EXPECT_TRUE(files.create_directories(folder_ + name));
    const Status written =
        write_random_model(folder_ + "/a/small", small_model(), NumberType::kBfloat16, 7);
    EXPECT_TRUE(written) << written.error().message;
  }
  ~FolderLoaderTest() override { EXPECT_TRUE(real_file_system().remove_all(folder_)); }

  // A worker with real layers of a models folder.
  struct RealWorker {
    explicit RealWorker(const std::string& models, FolderLoaderOptions options = {})
        : loader(
              [&] {
                options.models_folder = models;
                return options;
              }(),
              real_file_system(), registry),
          stage({}, loader, clock, instruments) {
      auto opened =
          WorkerServer::open({.models_folder = models},
                             {[] { return WorkerFacts{}; }, [] { return std::string("{}"); }},
                             stage, real_file_system(), clock, registry);
      EXPECT_TRUE(opened) << opened.error().message;
      server = *std::move(opened);
      remote = connect_to(server->address());
    }
    SystemClock clock;
    Registry registry;
    FolderLoader loader;
    StageInstruments instruments{registry};
    Stage stage;
    std::unique_ptr<WorkerServer> server;
    std::unique_ptr<RemoteWorker> remote;
  };

  static LoadOrder small_order(LayerRange layers, uint64_t epoch = 1) {
    return {.model = "small", .layers = layers, .kv_positions = 512, .epoch = epoch};
  }
  std::string hash_of(LayerRange layers) const {
    auto model = ModelFolder::open(folder_ + "/a/small");
    EXPECT_TRUE(model) << model.error().message;
    return model ? (*model)->hash(layers) : "";
  }

  std::string folder_;
};

Result<HopResult> prompt(Worker& worker, uint64_t epoch = 1) {
  return run_on(worker, epoch, prompt_step(1, {1, 2, 3, 4, 5}, true));
}

TEST_F(FolderLoaderTest, RealLayersSplitOverWorkersGiveWhatOneGives) {
  RealWorker whole(folder_ + "/a");
  RealWorker first(folder_ + "/a");
  RealWorker second(folder_ + "/a");
  ASSERT_TRUE(load_on(*whole.remote, small_order({0, 4})));
  ASSERT_TRUE(load_on(*first.remote, small_order({0, 1})));
  ASSERT_TRUE(load_on(*second.remote, small_order({1, 4})));
  const auto one = prompt(*whole.remote);
  ASSERT_TRUE(one) << one.error().message;
  ASSERT_EQ(one->step.choices.size(), 1U);
  const auto hop = run_on(*first.remote, 1, prompt_step(1, {1, 2, 3, 4, 5}, false));
  ASSERT_TRUE(hop) << hop.error().message;
  EXPECT_EQ(hop->step.hidden.size(), 5U * 32);
  Step step{.slices = {{.sequence = 1, .rows = 5, .sampling = Sampling{.temperature = 0}}},
            .hidden = hop->step.hidden};
  const auto two = run_on(*second.remote, 1, std::move(step));
  ASSERT_TRUE(two) << two.error().message;
  ASSERT_EQ(two->step.choices.size(), 1U);
  EXPECT_EQ(two->step.choices[0].token, one->step.choices[0].token);
  EXPECT_EQ(two->step.choices[0].logprob, one->step.choices[0].logprob);
}

TEST_F(FolderLoaderTest, FetchesAModelFromAPeer) {
  RealWorker has(folder_ + "/a");
  RealWorker lacks(folder_ + "/b");
  LoadOrder order = small_order({0, 4});
  Status loaded = load_on(*lacks.remote, order);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kNotFound) << loaded.error().message;
  order.peers = {has.server->address()};
  order.weights_hash = hash_of({0, 4});
  loaded = load_on(*lacks.remote, order);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(prompt(*lacks.remote));
  auto copy = ModelFolder::open(folder_ + "/b/small");
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_EQ((*copy)->hash({0, 4}), order.weights_hash);
}

TEST_F(FolderLoaderTest, AFetchedModelWithOtherWeightsIsNotKept) {
  RealWorker has(folder_ + "/a");
  RealWorker lacks(folder_ + "/b");
  LoadOrder order = small_order({0, 4});
  order.peers = {has.server->address()};
  order.weights_hash = "0123456789abcdef";
  const Status loaded = load_on(*lacks.remote, order);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kFailedPrecondition) << loaded.error().message;
  EXPECT_TRUE(real_file_system().list(folder_ + "/b")->empty());
}

TEST_F(FolderLoaderTest, APeerIsAskedForModelsAlone) {
  RealWorker has(folder_ + "/a");
  RealWorker lacks(folder_ + "/b");
  for (const char* model : {"../a/small", ".hidden", "none"}) {
    LoadOrder order = small_order({0, 4});
    order.model = model;
    order.peers = {has.server->address()};
    EXPECT_FALSE(load_on(*lacks.remote, order)) << model;
  }
  EXPECT_TRUE(real_file_system().list(folder_ + "/b")->empty());
}

TEST_F(FolderLoaderTest, RefusesWhatDoesNotFit) {
  RealWorker worker(folder_ + "/a", {.memory_bytes = 100'000});
  ASSERT_TRUE(load_on(*worker.remote, small_order({0, 1})));
  const Status large = load_on(*worker.remote, small_order({0, 4}, 2));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, Code::kResourceExhausted) << large.error().message;
  const Status range = load_on(*worker.remote, small_order({2, 5}, 3));
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().code, Code::kInvalidArgument);
  EXPECT_NE(range.error().message.find("it has 4"), std::string::npos) << range.error().message;
  LoadOrder other = small_order({0, 1}, 4);
  other.weights_hash = "0123456789abcdef";
  EXPECT_EQ(load_on(*worker.remote, other).error().code, Code::kFailedPrecondition);
}

TEST_F(FolderLoaderTest, ABrokenFileIsNamedAndNothingServes) {
  RealWorker worker(folder_ + "/a");
  ASSERT_TRUE(real_file_system().truncate(folder_ + "/a/small/model.safetensors", 1'000));
  const Status loaded = load_on(*worker.remote, small_order({0, 4}));
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("model.safetensors"), std::string::npos)
      << loaded.error().message;
  EXPECT_EQ(prompt(*worker.remote).error().code, Code::kFailedPrecondition);
}

}  // namespace
}  // namespace binnacle::engine
