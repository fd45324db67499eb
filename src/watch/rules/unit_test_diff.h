// What was expected beside what came, line by line, for the reader of a failed unit test. Empty: as
// expected. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "watch/rules/rule_series.h"
#include "watch/rules/unit_tests.h"

namespace binnacle::watch::rules {

// Both sorted.
std::vector<std::string> alert_diff(const std::vector<AlertText>& expected,
                                    const std::vector<AlertText>& got);
// `fuzzy`: numbers beside each other are equal. No number is equal to NaN, NaN included: as
// promtool.
std::vector<std::string> sample_diff(std::vector<SampleExpectation> expected,
                                     std::vector<RuleSample> got, bool fuzzy);

}  // namespace binnacle::watch::rules
