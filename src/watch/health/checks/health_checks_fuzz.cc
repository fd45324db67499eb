// A hostile file of checks, path, JSON body and script output. The input is the file; its first
// line, where it begins with $, is a path into the rest.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "base/utf8.h"
#include "net/io_threads.h"
#include "store/metrics/linear_store.h"
#include "watch/health/check_factory.h"
#include "watch/health/checks/exec_result.h"
#include "watch/health/checks/json_path.h"

namespace {

using namespace binnacle;
using namespace binnacle::watch::health;

// None of them is used: nothing runs.
struct House {
  SystemClock clock;
  net::IoThreads io{1};
  ThreadPool pool{"fuzz", 1, 1};
  store::metrics::LinearStore store{clock};
};

void take_file(std::string_view text) {
  static House house;
  const CheckTools tools{house.io, real_file_system(), house.clock, house.pool, &house.store};
  for (const bool trusted : {true, false}) {
    const auto checks = read_checks("f", text, tools, trusted);
    if (!checks) {
      CHECK(checks.error().code == Code::kInvalidArgument && !checks.error().message.empty());
      continue;
    }
    for (const auto& one : *checks) {
      CHECK(!one.spec.name.empty() && (one.check != nullptr || one.spec.kind == "pushed"));
      CHECK(trusted || one.spec.kind != "exec");
    }
  }
}

void take_json(std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const auto path = JsonPath::parse(text.substr(0, end));
  const auto body = JsonBody::parse(text.substr(std::min(end + 1, text.size())));
  if (!path || !body) return;
  if (const auto found = body->find(*path)) CHECK(is_valid_utf8(found->text));
  body->texts(*path, "id");
}

void take_output(std::string_view text) {
  for (const auto format : {ExecFormat::kAuto, ExecFormat::kNagios, ExecFormat::kJson}) {
    const Reading reading = read_exec_result(format, {false, 0}, text, text);
    CHECK(!reading.message.empty() && reading.message.size() < 1'000);
    CHECK(is_valid_utf8(reading.message) && reading.message.find('\n') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  take_file(text);
  take_json(text);
  take_output(text);
  return 0;
}
