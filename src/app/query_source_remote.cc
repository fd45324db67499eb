#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/query_source.h"
#include "base/json_parse.h"
#include "base/trailing_slash.h"
#include "net/client.h"
#include "net/io_threads.h"
#include "query/promql/test_script_series.h"

namespace binnacle::app {
namespace {

using nlohmann::json;

std::string seconds(int64_t ms) { return fmt::format("{}", static_cast<double>(ms) / 1000); }

net::ClientRequest request_for(const std::string& url, const std::string& key,
                               const AskedQuery& query) {
  std::string form = "query=" + net::percent_encode(query.expr);
  if (query.instant) {
    form += "&time=" + seconds(query.start_ms);
  } else {
    form += fmt::format("&start={}&end={}&step={}", seconds(query.start_ms), seconds(query.end_ms),
                        seconds(query.step_ms));
  }
  net::ClientRequest request{
      .method = net::Method::kPost,
      .url = url + (query.instant ? "/api/v1/query" : "/api/v1/query_range"),
      .headers = {},
      .body = std::move(form),
      // A server ends a query by itself; this is for one that does not answer at all.
      .timeout = std::chrono::milliseconds(300'000)};
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  if (!key.empty()) request.headers.set("Authorization", "Bearer " + key);
  return request;
}

// Reads an answer in Prometheus' shapes; json's exceptions stay in here.
class AnswerReader {
 public:
  static Result<AnsweredQuery> read(const json& answer) {
    try {
      return AnswerReader().read_answer(answer);
    } catch (const json::exception& error) {
      return fail(Code::kUnavailable,
                  fmt::format("the answer is not of the Prometheus API ({})", error.what()));
    }
  }

 private:
  Result<AnsweredQuery> read_answer(const json& answer) {
    const json& data = answer.at("data");
    const json& result = data.at("result");
    out_.type = data.at("resultType").get<std::string>();
    out_.warnings = answer.value("warnings", std::vector<std::string>());
    out_.infos = answer.value("infos", std::vector<std::string>());
    if (out_.type == "string") {
      out_.text = result.at(1).get<std::string>();
    } else if (out_.type == "scalar") {
      out_.series.emplace_back();
      TRY(add_point(result));
    } else {
      for (const json& series : result) TRY(add_series(series));
    }
    return std::move(out_);
  }

  Status add_series(const json& series) {
    model::LabelsBuilder labels;
    for (const auto& [name, value] : series.at("metric").items())
      labels.set(name, value.get<std::string>());
    out_.series.push_back({labels.build(), {}, {}});
    if (series.contains("value")) return add_point(series.at("value"));
    for (const json& point : series.at("values")) TRY(add_point(point));
    return {};
  }

  Status add_point(const json& point) {
    const auto value = query::promql::parse_script_number(point.at(1).get<std::string>());
    if (!value) return fail(Code::kUnavailable, "the answer has a value that is no number");
    AnsweredSeries& series = out_.series.back();
    series.times_ms.push_back(std::llround(point.at(0).get<double>() * 1000));
    series.values.push_back(*value);
    return {};
  }

  AnsweredQuery out_;
};

Error no_answer(const net::Response& response, const std::string& url) {
  std::string message = fmt::format("ask {}: answered {} {}", url, response.status,
                                    net::status_reason(response.status));
  if (response.status == 401 || response.status == 403) {
    message += "; give a key with --key or BINNACLE_KEY";
  } else {
    message += "; is it a Binnacle server?";
  }
  return {Code::kUnavailable, std::move(message)};
}

}  // namespace

Result<AnsweredQuery> ask_server(FileSystem& files, std::string url, const std::string& key,
                                 const AskedQuery& query) {
  url = without_trailing_slash(std::move(url));
  net::IoThreads io(1);
  net::Client client({}, files);
  io.start();
  auto response = client.send_blocking(io, request_for(url, key, query));
  io.stop();
  if (!response) {
    return fail(Code::kUnavailable,
                fmt::format("ask {}: {}; is the server running, and is --server right?", url,
                            response.error().message));
  }
  const json answer = parse_json(response->body);
  if (!answer.is_object() || !answer.contains("status")) return fail(no_answer(*response, url));
  if (answer["status"] == "success") return AnswerReader::read(answer);
  const auto error = answer.find("error");
  if (error == answer.end() || !error->is_string()) return fail(no_answer(*response, url));
  return fail(Code::kInvalidArgument, error->get<std::string>());
}

}  // namespace binnacle::app
