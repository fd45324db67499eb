// uname(2): which kernel runs, and the machine's own name.
#include <sys/utsname.h>

#include <cerrno>

#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

constexpr std::string_view kLabels[] = {"sysname", "release",  "version",
                                        "machine", "nodename", "domainname"};
constexpr Metric kUname = gauge(
    "node_uname_info", "Labeled system information as provided by the uname system call.", kLabels);

class UnamePart final : public Part {
 public:
  std::string_view name() const override { return "uname"; }
  int64_t period_ms() const override { return 15'000; }

  Status collect(Emitter& emitter) override {
    struct utsname facts {};
    if (::uname(&facts) != 0) return fail(errno_error("uname", errno));
    emitter.emit(kUname,
                 {facts.sysname, facts.release, facts.version, facts.machine, facts.nodename,
                  static_cast<const char*>(facts.domainname)},
                 1);
    return {};
  }
};

}  // namespace

std::unique_ptr<Part> uname_part() { return std::make_unique<UnamePart>(); }

}  // namespace binnacle::collect::host
