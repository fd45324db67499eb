// gRPC's own lines go to our log, at debug: it would write them to the terminal, and what matters
// of them stands in the errors that its calls return. Any thread, as often as wanted.
#pragma once

namespace binnacle::net {

void take_grpc_log();

}  // namespace binnacle::net
