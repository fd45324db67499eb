#include "app/query_commands.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "app/query_source.h"
#include "base/config_units.h"
#include "base/time_text.h"

namespace binnacle::app {
namespace {

constexpr int64_t kDefaultPoints = 240;

bool is_range(const QueryCommand& command) {
  return !command.range.empty() || !command.start.empty() || !command.end.empty() ||
         !command.step.empty();
}

Result<int64_t> time_of(const std::string& text, int64_t if_absent) {
  if (text.empty()) return if_absent;
  return parse_time_ms(text);
}

// A step of whole seconds that gives a few hundred points.
int64_t default_step(int64_t length_ms) {
  return std::max<int64_t>(1, length_ms / kDefaultPoints / 1000) * 1000;
}

Result<AskedQuery> range_query(const QueryCommand& command, int64_t now_ms) {
  AskedQuery query{.expr = command.expr, .instant = false};
  if (!command.time.empty())
    return fail(Code::kInvalidArgument, "--time is of an instant; a range has --start and --end");
  if (command.range.empty() == command.start.empty())
    return fail(Code::kInvalidArgument, "a range needs one of --range and --start");
  TRY_ASSIGN(query.end_ms, time_of(command.end, now_ms));
  if (command.start.empty()) {
    TRY_ASSIGN(const int64_t length_ms, parse_duration_ms(command.range));
    query.start_ms = query.end_ms - length_ms;
  } else {
    TRY_ASSIGN(query.start_ms, parse_time_ms(command.start));
  }
  if (query.end_ms < query.start_ms)
    return fail(Code::kInvalidArgument, "--end lies before --start");
  query.step_ms = default_step(query.end_ms - query.start_ms);
  if (!command.step.empty()) {
    TRY_ASSIGN(query.step_ms, parse_duration_ms(command.step));
  }
  if (query.step_ms == 0) return fail(Code::kInvalidArgument, "--step must not be 0");
  return query;
}

Result<AskedQuery> asked_query(const QueryCommand& command, int64_t now_ms) {
  if (is_range(command)) return range_query(command, now_ms);
  AskedQuery query{.expr = command.expr};
  TRY_ASSIGN(query.start_ms, time_of(command.time, now_ms));
  query.end_ms = query.start_ms;
  return query;
}

int refuse(const Error& error, std::ostream& err) {
  err << "binnacle query: " << error.message << '\n';
  return error.code == Code::kUnavailable ? 2 : 1;
}

const std::map<std::string, QueryFormat>& formats() {
  static const std::map<std::string, QueryFormat> by_name{{"table", QueryFormat::kTable},
                                                          {"csv", QueryFormat::kCsv},
                                                          {"json", QueryFormat::kJson},
                                                          {"chart", QueryFormat::kChart}};
  return by_name;
}

void add_time_options(CLI::App* sub, QueryCommand& command) {
  sub->add_option("--time", command.time, "At this time: Unix seconds or RFC 3339 (default: now)");
  sub->add_option("--range", command.range, "Over so long before the end, as 1h");
  sub->add_option("--start", command.start, "From this time, instead of --range");
  sub->add_option("--end", command.end, "Up to this time (default: now)");
  sub->add_option("--step", command.step,
                  "Between the points of a range, as 15s (default: some 240 points)");
}

}  // namespace

int run_query(const QueryCommand& command, FileSystem& files, const Clock& clock, std::ostream& out,
              std::ostream& err) {
  const Result<AskedQuery> query = asked_query(command, clock.wall_ms());
  if (!query) return refuse(query.error(), err);
  const Result<AnsweredQuery> answer = command.data_folder.empty()
                                           ? ask_server(files, command.server, command.key, *query)
                                           : ask_folder(files, command.data_folder, *query);
  if (!answer) return refuse(answer.error(), err);
  for (const std::string& text : answer->warnings) err << text << '\n';
  for (const std::string& text : answer->infos) err << text << '\n';
  const QueryFormat format =
      command.format.value_or(query->instant ? QueryFormat::kTable : QueryFormat::kChart);
  out << print_answer(*answer, *query, format, command.width);
  return 0;
}

void add_query_commands(CLI::App& root, int& exit_code) {
  CLI::App* sub = root.add_subcommand("query", "Ask a server or a store folder in PromQL");
  const auto command = std::make_shared<QueryCommand>();
  const auto format = std::make_shared<std::string>();
  sub->add_option("EXPR", command->expr, "A PromQL expression")->required();
  add_time_options(sub, *command);
  CLI::Option* server =
      sub->add_option("--server", command->server, "The server's address")->capture_default_str();
  sub->add_option("--key", command->key, "A viewer's key for the server")->envname("BINNACLE_KEY");
  sub->add_option("--data", command->data_folder,
                  "Read this data folder, on which no server runs, instead of asking a server")
      ->excludes(server);
  sub->add_option("--format", *format,
                  "table, csv, json or chart (default: table, of a range chart)")
      ->check(CLI::IsMember({"table", "csv", "json", "chart"}));
  sub->add_option("--width", command->width, "Columns of a chart")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->footer("Exit codes: 0 answered, 1 the query is wrong or failed, 2 nobody answered.");
  sub->callback([command, format, &exit_code] {
    if (!format->empty()) command->format = formats().at(*format);
    exit_code = run_query(*command, real_file_system(), SystemClock(), std::cout, std::cerr);
  });
}

}  // namespace binnacle::app
