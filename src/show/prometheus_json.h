// Answers in the JSON shapes of Prometheus' API, written straight into a string.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "net/http.h"
#include "query/promql/evaluate.h"

namespace binnacle::show {

// {"a":"1","b":"2"}
void append_labels(std::string& out, model::LabelsView labels);

// data of a `vector` (the steps are one) and of a `matrix`.
std::string vector_data(const std::vector<query::promql::SeriesValues>& series, int64_t time_ms);
std::string matrix_data(const std::vector<query::promql::SeriesValues>& series,
                        const query::promql::Steps& steps);
std::string strings_data(const std::vector<std::string>& strings);

// {"status":"success","data":DATA}
net::Response success(std::string_view data);
// {"status":"error","errorType":...,"error":...} with the status that Prometheus gives to that
// kind.
net::Response failure(const Error& error);

}  // namespace binnacle::show
