// Asks an engine for one token and watches for it: the answer's status, its keep-alives and its
// empty first pieces count for nothing. Runs on the calling coroutine's executor; the client
// outlives it.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/client.h"
#include "watch/health/engines/engine_progress.h"
#include "watch/health/engines/engine_ways.h"

namespace binnacle::watch::health {

struct CanaryAnswer {
  CanaryResult result;
  // It will never be answered: the engine wants a key, has no such path or model.
  bool unwelcome = false;
};

boost::asio::awaitable<CanaryAnswer> ask_for_token(net::Client& client, std::string url,
                                                   CanaryRequest request,
                                                   std::chrono::milliseconds timeout,
                                                   const Clock& clock);

// Whether one piece of a streamed answer ("data: ..." without the prefix), or a whole one, holds a
// token. Public for its fuzzer and tests.
enum class Piece : uint8_t { kNothing, kToken, kError };
Piece read_piece(std::string_view json);

// Takes an event stream apart, piece by piece, however its bytes come.
class TokenStream {
 public:
  // The first telling piece in what has come so far; kNothing: go on.
  Piece feed(std::string_view bytes);

 private:
  std::string line_;
};

}  // namespace binnacle::watch::health
