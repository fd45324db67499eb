// What a check does. It is run by a scheduler, never twice at once, on an I/O thread: what blocks
// goes to a pool. A run ends by itself soon after `timeout`, with a reading that says so; the
// scheduler waits for it before the next and holds up no other check meanwhile. A check outlives
// its runs.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/thread_pool.h"
#include "model/node.h"
#include "model/querier.h"
#include "net/io_threads.h"
#include "watch/health/health.h"

namespace binnacle::watch::health {

class Check {
 public:
  virtual ~Check() = default;
  // `took_ms` is filled in by the caller. A thing that could not be found out is kUnknown; a thing
  // that does not answer is kFailed.
  virtual boost::asio::awaitable<Reading> run(std::chrono::milliseconds timeout) = 0;
};

// What checks work with. All outlive them.
struct CheckTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  ThreadPool& pool;                   // for what blocks: programs, databases, queries
  model::Queryable* store = nullptr;  // null: checks of series are refused
};

}  // namespace binnacle::watch::health
