// Reads a file of checks (docs/health-checks.md) and makes what each of them does. The common
// settings are one map; each kind's own stand under a key of the kind's name:
//
//   checks:
//     - name: gateway
//       type: http
//       interval: 10s
//       http: {url: "http://127.0.0.1:8080/health", status: [200]}
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "watch/health/check.h"
#include "watch/health/check_spec.h"

namespace binnacle::watch::health {

struct ConfiguredCheck {
  CheckSpec spec;
  std::unique_ptr<Check> check;  // null: pushed from outside
};

// All that is wrong at once, each a line that names the place; two checks of one name are wrong.
// `may_execute`: the text is the operator's own file. Where it came over the API, checks that start
// programs and settings that name files are refused.
Result<std::vector<ConfiguredCheck>> read_checks(const std::string& file_name,
                                                 std::string_view yaml, const CheckTools& tools,
                                                 bool may_execute);

// The names of all kinds, sorted.
std::vector<std::string> check_kinds();

}  // namespace binnacle::watch::health
