// Pollers against real HTTP servers on loopback that say what the fixtures say, or worse.
#include "collect/engines/engine_pollers.h"

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "collect/engines/engine_server_fixture.h"
#include "collect/engines/scrape_fixture.h"
#include "store/metrics/linear_store.h"

namespace binnacle::collect::engines {
namespace {

using Json = nlohmann::json;
using store::metrics::LinearStore;

class EnginePollerTest : public testing::Test {
 protected:
  EnginePollerTest() : io_(1) { io_.start(); }
  ~EnginePollerTest() override {
    poller_.reset();
    io_.stop();
  }

  void poll(Engine engine, const std::string& url, int64_t timeout_ms = 4'000) {
    PollTarget target{.engine = engine,
                      .url = url,
                      .labels = model::Labels{{"instance", "here:1"}, {"job", "engines"}},
                      .timeout_ms = timeout_ms};
    ASSERT_TRUE(check_poll_target(target));
    poller_ =
        std::make_unique<EnginePoller>(std::move(target), real_file_system(), clock_, registry_);
  }
  PollResult ask() {
    return boost::asio::co_spawn(io_.next(), poller_->ask(), boost::asio::use_future).get();
  }
  double failures(const char* engine, const char* reason) {
    double found = 0;
    registry_.visit([&](std::string_view name, auto labels, double value) {
      if (name != "binnacle_engine_poll_failures_total") return;
      for (const auto& [key, text] : labels) {
        if (key == "engine" && text != engine) return;
        if (key == "reason" && text != reason) return;
      }
      found = value;
    });
    return found;
  }
  // The newest sample of each series, by text.
  static SeriesValues stored(LinearStore& store) {
    SeriesValues values;
    auto querier = *store.querier(0, INT64_MAX);
    auto set =
        *querier->select({*model::Matcher::create(model::MatchOp::kNotEqual, "__name__", "")}, {});
    model::SeriesColumns columns;
    while (set->next(columns)) values[columns.labels.to_string()] = columns.values.back();
    return values;
  }

  SystemClock clock_;
  Registry registry_;
  net::IoThreads io_;
  std::unique_ptr<EnginePoller> poller_;
};

class EnginePollerFixtureTest : public EnginePollerTest,
                                public testing::WithParamInterface<std::string> {};

TEST_P(EnginePollerFixtureTest, AsksAndStoresWhatTheFixtureSays) {
  FakeEngine engine(fixture_answers(GetParam()));
  const auto which = Json::parse(fixture_text(GetParam() + ".json"))["engine"].get<std::string>();
  poll(*engine_from_name(which), engine.url());
  LinearStore store(clock_);
  EXPECT_EQ(*poller_->append(ask(), store, clock_.wall_ms()), 0u);
  const SeriesValues got = stored(store);
  const SeriesValues expected = expected_series(GetParam());
  EXPECT_EQ(got.size(), expected.size());
  for (const auto& [series, value] : got) {
    EXPECT_NE(series.find("instance=\"here:1\""), std::string::npos) << series;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EnginePollerFixtureTest, testing::ValuesIn(fixtures(".json")),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return std::to_string(info.index);
                         });

constexpr const char* kUp =
    R"(binnacle_engine_up{engine="ollama", instance="here:1", job="engines"})";

TEST_F(EnginePollerTest, AModelThatIsUnloadedEndsWithAStaleMarker) {
  FakeEngine engine(fixture_answers("ollama-0.12.6"));
  poll(Engine::kOllama, engine.url());
  LinearStore store(clock_);
  const int64_t begun_ms = clock_.wall_ms();
  ASSERT_TRUE(poller_->append(ask(), store, begun_ms));
  engine.set("/api/ps", 200, R"({"models": []})");
  ASSERT_TRUE(poller_->append(ask(), store, begun_ms + 1));
  const SeriesValues got = stored(store);
  EXPECT_EQ(got.at(kUp), 1);
  EXPECT_EQ(got.at(R"(llm_models_loaded{engine="ollama", instance="here:1", job="engines"})"), 0);
  EXPECT_TRUE(model::is_stale(
      got.at(R"(llm_model_context_tokens{engine="ollama", instance="here:1", job="engines", )"
             R"(model="qwen3:8b"})")));
  ASSERT_TRUE(poller_->end(store, begun_ms + 2));
  for (const auto& [series, value] : stored(store)) EXPECT_TRUE(model::is_stale(value)) << series;
}

TEST_F(EnginePollerTest, StatusesPagesAndBrokenJsonAreFaultsOfTheirKind) {
  FakeEngine engine(fixture_answers("ollama-0.12.6"));
  poll(Engine::kOllama, engine.url());
  engine.set("/api/version", 503, "{}");
  EXPECT_FALSE(ask().up);
  EXPECT_EQ(failures("ollama", "status"), 1);
  engine.set("/api/version", 200, "<html>Ollama is running</html>");
  EXPECT_FALSE(ask().up);
  EXPECT_EQ(failures("ollama", "not_json"), 1);
  engine.set("/api/version", 200, R"({"version": )");
  EXPECT_FALSE(ask().up);
  EXPECT_EQ(failures("ollama", "not_json"), 2);
  engine.set("/api/version", 200, R"({"version": 7})");
  EXPECT_TRUE(ask().up);
  EXPECT_EQ(failures("ollama", "unreachable"), 0);
}

TEST_F(EnginePollerTest, NobodyThereIsUnreachable) {
  std::string url;
  {
    SilentEngine gone;
    url = gone.url();
  }
  poll(Engine::kDistributedLlama, url);
  const PollResult result = ask();
  EXPECT_FALSE(result.up);
  EXPECT_EQ(failures("distributed-llama", "unreachable"), 1);
}

TEST_F(EnginePollerTest, ASilentDistributedLlamaIsBusyASilentOllamaDown) {
  SilentEngine engine;
  poll(Engine::kDistributedLlama, engine.url(), 200);
  EXPECT_TRUE(ask().up);
  EXPECT_EQ(failures("distributed-llama", "no_answer"), 1);
  poll(Engine::kOllama, engine.url(), 200);
  EXPECT_FALSE(ask().up);
  EXPECT_EQ(failures("ollama", "no_answer"), 1);
}

TEST_F(EnginePollerTest, ABodyBeyondTheLimitIsNotTaken) {
  FakeEngine engine(fixture_answers("exo-0.3.70"));
  engine.set("/state", 200, "{\"a\": \"" + std::string(size_t{9} << 20, 'x') + "\"}");
  poll(Engine::kExo, engine.url());
  EXPECT_FALSE(ask().up);
  EXPECT_EQ(failures("exo", "unreachable"), 1);
}

TEST_F(EnginePollerTest, ThePollersKeepASetAndEndWhatLeavesIt) {
  FakeEngine ollama(fixture_answers("ollama-0.12.6"));
  SilentEngine silent;
  LinearStore store(clock_);
  EnginePollers pollers(io_, real_file_system(), clock_, store, registry_);
  const auto target = [](Engine engine, const std::string& url, const char* instance) {
    return PollTarget{.engine = engine,
                      .url = url,
                      .labels = model::Labels{{"instance", instance}},
                      .interval_ms = 200,
                      .timeout_ms = 200};
  };
  const PollTarget live = target(Engine::kOllama, ollama.url(), "a");
  ASSERT_TRUE(pollers.set_targets({live, target(Engine::kDistributedLlama, silent.url(), "b")}));
  pollers.start();
  const std::string up_a = R"(binnacle_engine_up{engine="ollama", instance="a"})";
  const std::string busy_b = R"(binnacle_engine_busy{engine="distributed-llama", instance="b"})";
  const auto wait_for = [&](const auto& condition) {
    const int64_t until = clock_.monotonic_ms() + 10'000;
    while (!condition(stored(store))) {
      ASSERT_LT(clock_.monotonic_ms(), until);
      std::this_thread::yield();
    }
  };
  wait_for([&](const SeriesValues& got) { return got.contains(up_a) && got.contains(busy_b); });
  ASSERT_TRUE(pollers.set_targets({live}));
  wait_for([&](const SeriesValues& got) { return model::is_stale(got.at(busy_b)); });
  pollers.stop();
  EXPECT_EQ(stored(store).at(up_a), 1);
}

TEST(PollTargetTest, RefusesWhatCannotBePolled) {
  const auto code = [](PollTarget target) {
    const Status status = check_poll_target(target);
    return status ? std::optional<Code>() : status.error().code;
  };
  EXPECT_EQ(code({.engine = Engine::kVllm, .url = "http://a:1"}), Code::kInvalidArgument);
  EXPECT_EQ(code({.url = "nonsense"}), Code::kInvalidArgument);
  EXPECT_EQ(code({.url = "http://a:1/api"}), Code::kInvalidArgument);
  EXPECT_EQ(code({.url = "http://a:1", .interval_ms = 100}), Code::kInvalidArgument);
  EXPECT_EQ(code({.url = "http://a:1"}), std::nullopt);
}

}  // namespace
}  // namespace binnacle::collect::engines
