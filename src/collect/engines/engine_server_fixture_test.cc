#include "collect/engines/engine_server_fixture.h"

#include <nlohmann/json.hpp>

namespace binnacle::collect::engines {

FakeEngine::Answers fixture_answers(const std::string& fixture) {
  FakeEngine::Answers all;
  const auto json = nlohmann::json::parse(fixture_text(fixture + ".json"));
  for (const auto& [path, answer] : json["answers"].items()) all[path] = answer.dump();
  return all;
}

}  // namespace binnacle::collect::engines
