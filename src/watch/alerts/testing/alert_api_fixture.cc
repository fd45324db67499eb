#include "watch/alerts/testing/alert_api_fixture.h"

#include <nlohmann/json.hpp>

#include "base/json_parse.h"

namespace binnacle::watch::alerts {

nlohmann::json AlertApiFixture::call_json(net::Method method, std::string_view target,
                                          std::string_view body, int status) {
  const auto response = call(method, target, body);
  EXPECT_EQ(response.status, status) << target << ": " << response.body;
  return parse_json(response.body);
}

nlohmann::json AlertApiFixture::get(std::string_view target, int status) {
  return call_json(net::Method::kGet, target, {}, status);
}

}  // namespace binnacle::watch::alerts
