#include "watch/health/engines/vitals_reader.h"

#include <gtest/gtest.h>

#include "base/file_system.h"

namespace binnacle::watch::health {
namespace {

using collect::engines::Engine;

Vitals of_page(Engine engine, std::string_view page) {
  Registry registry;
  VitalsReader reader(engine, registry);
  auto vitals = reader.read_page(page, "text/plain");
  EXPECT_TRUE(vitals) << vitals.error().message;
  return vitals.value_or(Vitals());
}

TEST(VitalsReader, TakesTheNumbersOfAllModelsTogether) {
  const Vitals vitals = of_page(Engine::kVllm,
                                "# TYPE vllm:num_requests_running gauge\n"
                                "vllm:num_requests_running{model_name=\"a\"} 3\n"
                                "vllm:num_requests_running{model_name=\"b\"} 2\n"
                                "# TYPE vllm:num_requests_waiting gauge\n"
                                "vllm:num_requests_waiting{model_name=\"a\"} 7\n"
                                "# TYPE vllm:generation_tokens_total counter\n"
                                "vllm:generation_tokens_total{model_name=\"a\"} 100\n"
                                "vllm:generation_tokens_total{model_name=\"b\"} 11\n"
                                "# TYPE vllm:request_success_total counter\n"
                                "vllm:request_success_total{finished_reason=\"stop\"} 4\n"
                                "vllm:request_success_total{finished_reason=\"length\"} 5\n"
                                "vllm:request_success_total{finished_reason=\"abort\"} 60\n");
  EXPECT_EQ(vitals.answer, Vitals::Answer::kGood);
  EXPECT_EQ(vitals.running, 5);
  EXPECT_EQ(vitals.waiting, 7);
  EXPECT_EQ(vitals.generated_tokens, 111);
  EXPECT_EQ(vitals.finished, 9) << "requests that were aborted are no progress";
  EXPECT_EQ(vitals.prompt_tokens, std::nullopt);
}

TEST(VitalsReader, ASecondPageIsReadLikeTheFirst) {
  Registry registry;
  VitalsReader reader(Engine::kVllm, registry);
  for (const int value : {100, 140}) {
    const auto vitals = reader.read_page(
        "vllm:generation_tokens_total{model_name=\"a\"} " + std::to_string(value) + "\n",
        "text/plain; version=0.0.4");
    ASSERT_TRUE(vitals) << vitals.error().message;
    EXPECT_EQ(vitals->generated_tokens, value);
  }
  EXPECT_FALSE(reader.read_page("<html></html>", "text/html"));
}

// Of every engine that has a recorded page, the numbers that judging it stands on are found.
TEST(VitalsReader, FindsWhatEachRecordedEngineShows) {
  const struct {
    Engine engine;
    const char* file;
    bool kv_usage;
  } kPages[] = {{Engine::kVllm, "vllm-0.13.0", true},
                {Engine::kSglang, "sglang-0.5.6", true},
                {Engine::kLlamaCpp, "llama.cpp-b9300", false},
                {Engine::kTrtllmServe, "trtllm-serve-1.3.0", true},
                {Engine::kLmdeploy, "lmdeploy-0.16.0", true}};
  for (const auto& [engine, file, kv_usage] : kPages) {
    const auto text = real_file_system().read_file(std::string(BINNACLE_SOURCE_DIR) +
                                                   "/tests/engines/fixtures/" + file + ".prom");
    ASSERT_TRUE(text) << text.error().message;
    const Vitals vitals = of_page(engine, *text);
    EXPECT_TRUE(vitals.running) << file;
    EXPECT_TRUE(vitals.waiting) << file;
    EXPECT_TRUE(vitals.generated_tokens) << file;
    EXPECT_EQ(vitals.kv_usage.has_value(), kv_usage) << file;
  }
}

TEST(VitalsOfPoll, AnEngineThatTakesTheConnectionAndSaysNothingIsSilent) {
  using collect::engines::PollFault;
  const auto of_fault = [](PollFault fault) {
    collect::engines::PollResult result;
    result.faults.push_back({.fault = fault});
    return vitals_of_poll(result).answer;
  };
  EXPECT_EQ(of_fault(PollFault::kNoAnswer), Vitals::Answer::kSilent);
  EXPECT_EQ(of_fault(PollFault::kUnreachable), Vitals::Answer::kRefused);
  EXPECT_EQ(of_fault(PollFault::kStatus), Vitals::Answer::kUseless);
}

}  // namespace
}  // namespace binnacle::watch::health
