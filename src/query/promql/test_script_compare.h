// Whether an answer is the one a script expects. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "query/promql/engine.h"
#include "query/promql/test_script.h"

namespace binnacle::query::promql {

// Equal, both the stale marker, both another NaN, or apart by less than a millionth of their sum.
bool almost_equal(double a, double b);

// What is wrong with it; nothing when it is as expected.
std::optional<std::string> compare_answer(const EvalCommand& eval, const QueryAnswer& answer);
std::optional<std::string> compare_annotations(const EvalCommand& eval, const QueryAnswer& answer);
std::optional<std::string> compare_failure(const EvalCommand& eval, const std::string& message);

// For people, cut after `max_lines`.
std::string expected_text(const EvalCommand& eval, size_t max_lines);
std::string answer_text(const QueryAnswer& answer, size_t max_lines);

}  // namespace binnacle::query::promql
