// The program of a hook, run to its end (net/run_program.h).
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace binnacle::watch::health {

// kUnavailable: it ended with another code than 0, by a signal, or had to be ended; the message has
// the end of what it printed.
boost::asio::awaitable<Status> run_hook_program(
    std::vector<std::string> argv, std::vector<std::pair<std::string, std::string>> environment,
    std::chrono::milliseconds timeout);

}  // namespace binnacle::watch::health
