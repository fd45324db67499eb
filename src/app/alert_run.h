// One run of a `binnacle alert` command against a server. Made, run once, thrown away; one thread.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/alert_commands.h"
#include "app/server_caller.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::app {

// "?a=1&b=2"
class QueryText {
 public:
  QueryText& add(std::string_view name, std::string_view value);
  QueryText& add_all(std::string_view name, const std::vector<std::string>& values);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class AlertRun {
 public:
  // All outlive the run.
  AlertRun(const AlertCommand& command, FileSystem& files, const Clock& clock, std::istream& in,
           std::ostream& out)
      : command_(command),
        files_(files),
        clock_(clock),
        in_(in),
        out_(out),
        server_(files, command.server, command.key) {}

  Status run();

 private:
  using json = nlohmann::json;

  // The data where JSON is asked for, else the text.
  void put(const json& data, const std::string& text);
  Result<json> member(std::string_view target, const char* name);
  Result<json> alerts(const QueryText& query);
  Status list();
  // Alerts named by a beginning of their id, or by matchers that all hold.
  Result<json> targets();
  Result<json> by_id(const std::string& id);
  Status show();
  Status acknowledge();
  Result<json> silence_matchers();
  Status add_silence();
  Result<json> silences();
  Status list_silences();
  Status expire_silences();
  Status export_silences();
  Result<json> read_import();
  // One that the server does not know is made anew, under an id of its own.
  Status import_one(json silence);
  Status import_silences();
  Status history();
  Status receivers();
  Status test_receiver();

  // Fixed after construction.
  const AlertCommand& command_;
  FileSystem& files_;
  const Clock& clock_;
  std::istream& in_;
  std::ostream& out_;
  ServerCaller server_;
};

bool is_alert_id(std::string_view text);  // of hexadecimal digits alone

}  // namespace binnacle::app
