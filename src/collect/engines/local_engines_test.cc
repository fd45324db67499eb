#include "collect/engines/local_engines.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "collect/engines/engine_server_fixture.h"

namespace binnacle::collect::engines {
namespace {

using model::LocalProcess;

std::string names(const std::vector<Engine>& engines) {
  std::string text;
  for (const Engine engine : engines) {
    text += (text.empty() ? "" : " ") + std::string(engine_name(engine));
  }
  return text;
}

std::string likely(const LocalProcess& process) {
  const auto found = candidates({process}, {});
  return found.empty() ? "" : names(found[0].engines);
}

TEST(CandidatesTest, AProcessThatSpeaksOfAnEngineComesBeforeItsPort) {
  EXPECT_EQ(likely({.pid = 1,
                    .name = "python3",
                    .command_line = "python3 -m sglang.launch_server --port 8000",
                    .ports = {8000}}),
            "sglang vllm triton trtllm-serve");
}

TEST(CandidatesTest, KnowsTheUsualPorts) {
  EXPECT_EQ(likely({.ports = {8000}}), "vllm triton trtllm-serve");
  EXPECT_EQ(likely({.ports = {30000}}), "sglang");
  EXPECT_EQ(likely({.ports = {8080}}), "llama.cpp ray");
  EXPECT_EQ(likely({.ports = {11434}}), "ollama");
  EXPECT_EQ(likely({.ports = {3000}}), "tgi");
  EXPECT_EQ(likely({.ports = {23333}}), "lmdeploy");
  EXPECT_EQ(likely({.ports = {52415}}), "exo");
  EXPECT_EQ(likely({.ports = {9990}}), "") << "others' answers look alike";
  EXPECT_EQ(likely({.name = "dllama-api", .ports = {9990}}), "distributed-llama");
  EXPECT_EQ(likely({.command_line = "/usr/bin/binnacle-engine serve", .ports = {9400}}),
            "binnacle");
  EXPECT_EQ(likely({.name = "nginx", .ports = {443}}), "");
}

TEST(CandidatesTest, AWordInsideAnotherIsNotMeant) {
  EXPECT_EQ(likely({.command_line = "/srv/alexo/server", .ports = {4000}}), "");
  EXPECT_EQ(likely({.command_line = "/usr/bin/exo --verbose", .ports = {4000}}), "exo");
}

TEST(CandidatesTest, GuessesByPortAreLeftOutFirst) {
  std::vector<LocalProcess> processes;
  for (uint16_t i = 0; i < 5; ++i) processes.push_back({.ports = {8000, 30000, 11434}});
  processes.push_back({.name = "ollama", .ports = {50000}});
  const auto found = candidates(processes, {.max_candidates = 2});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].port, 50000);
}

class LocalEnginesTest : public testing::Test {
 protected:
  LocalEnginesTest() : io_(1) {
    net::ClientOptions options;
    options.proxy_from_environment = false;
    client_ = std::make_unique<net::Client>(options, real_file_system());
    io_.start();
  }
  ~LocalEnginesTest() override {
    client_.reset();
    io_.stop();
  }
  std::vector<LocalEngine> find(std::vector<LocalProcess> processes) {
    return boost::asio::co_spawn(
               io_.next(), find_local_engines(std::move(processes), *client_, {.timeout_ms = 300}),
               boost::asio::use_future)
        .get();
  }

  net::IoThreads io_;
  std::unique_ptr<net::Client> client_;
};

TEST_F(LocalEnginesTest, FindsVersionModelsAndWhereToLook) {
  FakeEngine vllm(FakeEngine::Answers{
      {"/metrics", fixture_text("vllm-0.10.1.prom")},
      {"/version", R"({"version": "0.10.1"})"},
      {"/v1/models", R"({"object": "list", "data": [{"id": "llama"}, {"id": "llama-lora"}]})"}});
  FakeEngine ollama(fixture_answers("ollama-0.12.6"));
  SilentEngine silent;
  const auto found =
      find({{.pid = 7, .name = "python3", .command_line = "vllm serve x", .ports = {vllm.port()}},
            {.pid = 8, .name = "ollama", .command_line = "ollama serve", .ports = {ollama.port()}},
            {.pid = 9, .name = "sglang", .ports = {silent.port()}}});
  ASSERT_EQ(found.size(), 2u);
  const bool vllm_first = found[0].engine == Engine::kVllm;
  const LocalEngine& one = found[vllm_first ? 0 : 1];
  const LocalEngine& two = found[vllm_first ? 1 : 0];
  EXPECT_EQ(described(one), "vllm 0.10.1 at " + vllm.url() + " (pid 7), serving llama, llama-lora");
  EXPECT_EQ(one.metrics_url, vllm.url() + "/metrics");
  EXPECT_EQ(two.engine, Engine::kOllama);
  EXPECT_EQ(two.version, "0.12.6");
  EXPECT_EQ(two.models.size(), 3u);

  const model::TargetGroup scraped = scrape_targets(found, model::Labels{{"job", "engines"}});
  ASSERT_EQ(scraped.targets.size(), 1u);
  EXPECT_EQ(scraped.targets[0].get("__address__"), "127.0.0.1:" + std::to_string(vllm.port()));
  EXPECT_EQ(scraped.targets[0].get("__metrics_path__"), "/metrics");
  EXPECT_EQ(scraped.targets[0].get("__engine__"), "vllm");
  EXPECT_EQ(target_hints(scraped.targets[0]).version, version(0, 10));
  const auto polled = poll_targets(found, model::Labels{{"job", "engines"}});
  ASSERT_EQ(polled.size(), 1u);
  EXPECT_TRUE(check_poll_target(polled[0]));
  EXPECT_EQ(polled[0].labels.get("instance"), "127.0.0.1:" + std::to_string(ollama.port()));
}

// Whoever has an engine's name and answers otherwise is not taken for it.
TEST_F(LocalEnginesTest, BelievesNoNameWithoutItsAnswer) {
  FakeEngine page(FakeEngine::Answers{{"/metrics", "<html>vllm</html>"},
                                      {"/api/version", "<html></html>"},
                                      {"/v1/models", R"([1, 2])"},
                                      {"/health", R"("ok")"}});
  for (const char* name : {"vllm", "ollama", "exo", "mlx_lm", "dllama", "lmdeploy", "sglang"}) {
    EXPECT_TRUE(find({{.name = name, .ports = {page.port()}}}).empty()) << name;
  }
}

TEST_F(LocalEnginesTest, TritonsMetricsAreOnAnotherPort) {
  FakeEngine triton(FakeEngine::Answers{
      {"/v2", R"({"name": "triton", "version": "2.59.0", "extensions": ["statistics"]})"}});
  const auto found = find({{.name = "tritonserver", .ports = {triton.port()}}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].metrics_url, "http://127.0.0.1:8002/metrics");
  EXPECT_EQ(found[0].version, "2.59.0");
}

}  // namespace
}  // namespace binnacle::collect::engines
