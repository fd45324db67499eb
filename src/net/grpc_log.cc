#include "net/grpc_log.h"

#include <grpc/support/log.h>

#include <string_view>

#include "base/check.h"
#include "base/log.h"

namespace binnacle::net {

void take_grpc_log() {
  static const bool once = [] {
    gpr_set_log_function([](gpr_log_func_args* line) {
      static const Log log("grpc");
      log.debug("gRPC says", {{"text", std::string_view(line->message)}});
    });
    return true;
  }();
  CHECK(once);
}

}  // namespace binnacle::net
