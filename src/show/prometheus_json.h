// The JSON shapes that all of Prometheus' API shares, written straight into a string: labels, the
// envelope of an answer, errors with the statuses that Prometheus gives them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/labels.h"
#include "net/http.h"

namespace binnacle::show {

// {"a":"1","b":"2"}
void append_labels(std::string& out, model::LabelsView labels);
// Unix seconds with up to three decimals: 1700000000.5
void append_time(std::string& out, int64_t ms);
// The same at `out`, which has room for kTimeBytes; returns its end.
inline constexpr size_t kTimeBytes = 24;
char* write_time(char* out, int64_t ms);
// ["a","b"]
void append_strings(std::string& out, const std::vector<std::string>& strings);

// What a call of the API answers: `data` as JSON, and what it tells beside it.
struct ApiData {
  ApiData(std::string data) : json(std::move(data)) {}  // most calls have nothing to tell
  std::string json;                                     // empty: 204
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// ,"warnings":[...],"infos":[...] of those that are there; ten each are shown.
void append_annotations(std::string& out, const std::vector<std::string>& warnings,
                        const std::vector<std::string>& infos);

// {"status":"success","data":DATA}
net::Response success(const ApiData& data);
// {"status":"error","errorType":...,"error":...} with the status that Prometheus gives to that
// kind.
net::Response failure(const Error& error);

}  // namespace binnacle::show
