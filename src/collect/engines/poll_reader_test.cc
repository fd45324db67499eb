#include "collect/engines/poll_reader.h"

#include <nlohmann/json.hpp>

#include "collect/engines/scrape_fixture.h"

namespace binnacle::collect::engines {
namespace {

using Json = nlohmann::json;

struct PollFixture {
  Engine engine{};
  Json answers;
};

PollFixture poll_fixture(const std::string& name) {
  const Json json = Json::parse(fixture_text(name + ".json"));
  return {engine_from_name(json["engine"].get<std::string>()).value(), json["answers"]};
}

std::vector<PollAnswer> answers_of(const PollFixture& fixture) {
  std::vector<PollAnswer> answers;
  for (const std::string_view path : poll_paths(fixture.engine)) {
    answers.push_back({.path = path, .body = fixture.answers[std::string(path)].dump()});
  }
  return answers;
}

SeriesValues values_of(const PollResult& result) {
  SeriesValues values;
  for (const PolledSeries& one : result.series) values[one.labels.to_string()] = one.value;
  return values;
}

class PollFixtureTest : public testing::TestWithParam<std::string> {};

TEST_P(PollFixtureTest, GivesTheSeriesThatWereWrittenDownForIt) {
  const PollFixture fixture = poll_fixture(GetParam());
  const PollResult result = read_answers(fixture.engine, answers_of(fixture));
  EXPECT_TRUE(result.up);
  EXPECT_TRUE(result.faults.empty());
  EXPECT_EQ(values_of(result), expected_series(GetParam()));
}

TEST_P(PollFixtureTest, NamesItsSourceFirst) {
  EXPECT_TRUE(fixture_text(GetParam() + ".json").starts_with("{\n  \"about\": \""));
}

// Every member of every answer replaced by something of another kind, one after the other: nothing
// breaks, and what is due is missed or still there.
void mutate(Json& at, const std::function<void()>& check) {
  for (auto& [key, value] : at.items()) {
    const Json kept = value;
    for (const Json& other : {Json(nullptr), Json("text"), Json(-1.5), Json::array(),
                              Json::object(), Json::array({1}), Json::object({{"a", 1}})}) {
      value = other;
      check();
    }
    value = kept;
    if (value.is_structured()) mutate(value, check);
  }
}

TEST_P(PollFixtureTest, WrongTypesBreakNothing) {
  PollFixture fixture = poll_fixture(GetParam());
  size_t tried = 0;
  mutate(fixture.answers, [&] {
    ++tried;
    for (const PolledSeries& one : read_answers(fixture.engine, answers_of(fixture)).series) {
      EXPECT_TRUE(std::isfinite(one.value)) << one.labels.to_string();
    }
  });
  EXPECT_GT(tried, 20u);
}

INSTANTIATE_TEST_SUITE_P(All, PollFixtureTest, testing::ValuesIn(fixtures(".json")),
                         [](const testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

constexpr const char* kLoadedAbsent =
    R"(binnacle_engine_expected_series_absent{engine="ollama", series="llm_models_loaded"})";

TEST(PollReaderTest, AMisspeltMemberIsMissed) {
  PollFixture fixture = poll_fixture("ollama-0.12.6");
  fixture.answers["/api/ps"] = {{"modelz", fixture.answers["/api/ps"]["models"]}};
  const SeriesValues values = values_of(read_answers(fixture.engine, answers_of(fixture)));
  EXPECT_EQ(values.at(kLoadedAbsent), 1);
  EXPECT_FALSE(values.contains(R"(llm_models_loaded{engine="ollama"})"));
}

TEST(PollReaderTest, NoModelLoadedIsNoneNotNothing) {
  PollFixture fixture = poll_fixture("ollama-0.12.6");
  fixture.answers["/api/ps"] = {{"models", Json::array()}};
  const SeriesValues values = values_of(read_answers(fixture.engine, answers_of(fixture)));
  EXPECT_EQ(values.at(R"(llm_models_loaded{engine="ollama"})"), 0);
  EXPECT_EQ(values.at(kLoadedAbsent), 0);
}

TEST(PollReaderTest, MoreSeriesThanAllowedAreLeftOut) {
  const PollFixture fixture = poll_fixture("ollama-0.12.6");
  const PollResult all = read_answers(fixture.engine, answers_of(fixture));
  EXPECT_EQ(all.left_out, 0u);
  const PollResult few = read_answers(fixture.engine, answers_of(fixture), 3);
  EXPECT_EQ(few.left_out, 7u);
  EXPECT_EQ(few.series.size(), all.series.size() - 7);
  EXPECT_EQ(values_of(few).at(R"(binnacle_engine_up{engine="ollama"})"), 1);
}

TEST(PollReaderTest, HealthyWithoutTheRestIsUpAndMissesIt) {
  const PollFixture fixture = poll_fixture("ollama-0.12.6");
  std::vector<PollAnswer> answers = answers_of(fixture);
  answers[1].fault = PollFault::kStatus;
  const PollResult result = read_answers(fixture.engine, std::move(answers));
  EXPECT_TRUE(result.up);
  EXPECT_EQ(values_of(result).at(kLoadedAbsent), 1);
  EXPECT_EQ(result.faults.size(), 1u);
}

TEST(PollReaderTest, APageInsteadOfJsonIsDown) {
  const PollResult result =
      read_answers(Engine::kMlxLm, {{.path = "/health", .body = "<html>It works</html>"}});
  EXPECT_FALSE(result.up);
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_EQ(result.faults[0].fault, PollFault::kNotJson);
  EXPECT_EQ(values_of(result).at(R"(binnacle_engine_up{engine="mlx-lm"})"), 0);
}

TEST(PollReaderTest, SilenceIsBusyForOneThatTakesOneRequestAtATime) {
  const SeriesValues values = values_of(read_answers(
      Engine::kDistributedLlama, {{.path = "/v1/models", .fault = PollFault::kNoAnswer}}));
  EXPECT_EQ(values.at(R"(binnacle_engine_up{engine="distributed-llama"})"), 1);
  EXPECT_EQ(values.at(R"(binnacle_engine_busy{engine="distributed-llama"})"), 1);
  EXPECT_EQ(values.at(R"(llm_requests_running{engine="distributed-llama"})"), 1);
  for (const auto& [series, value] : values) {
    EXPECT_EQ(series.find("expected_series_absent"), std::string::npos) << series;
  }
}

TEST(PollReaderTest, SilenceIsDownForTheOthersAndUnreachableForAll) {
  for (const auto& [engine, path, fault] :
       {std::tuple(Engine::kOllama, "/api/version", PollFault::kNoAnswer),
        std::tuple(Engine::kDistributedLlama, "/v1/models", PollFault::kUnreachable)}) {
    const PollResult result = read_answers(engine, {{.path = path, .fault = fault}});
    EXPECT_FALSE(result.up) << path;
    EXPECT_EQ(result.series.size(), 1u) << path;
  }
}

}  // namespace
}  // namespace binnacle::collect::engines
