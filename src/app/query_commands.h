// `binnacle query EXPR`: asks a server, or a store folder on which none runs, at an instant or over
// a range. run_query() does the work and returns the exit code (0 answered, 1 the query is wrong or
// failed, 2 nobody answered: no server there, no such folder).
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

#include "app/query_print.h"
#include "base/clock.h"
#include "base/file_system.h"

namespace CLI {  // NOLINT(readability-identifier-naming): not ours to name
class App;
}

namespace binnacle::app {

struct QueryCommand {
  std::string expr;
  std::string server = "http://127.0.0.1:8080";
  std::string key;
  std::string data_folder;  // not empty: instead of the server
  std::string time;         // Unix seconds or RFC 3339, as start and end; empty: now
  std::string start, end;
  std::string range, step;  // durations; a range, a start or a step makes it a range query
  std::optional<QueryFormat> format;  // nothing: a table at an instant, a chart over a range
  size_t width = 60;                  // of a chart, in columns
};

int run_query(const QueryCommand& command, FileSystem& files, const Clock& clock, std::ostream& out,
              std::ostream& err);

void add_query_commands(CLI::App& root, int& exit_code);

}  // namespace binnacle::app
