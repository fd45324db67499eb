// The agent's end of the link (docs/formats/link.md): connects, says hello, beats, answers probes,
// hands over check results and events, and connects again for as long as it runs. start(), stop()
// by the owner's thread; the rest any thread. References outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/instruments.h"
#include "base/random.h"
#include "link/check_result_sender.h"
#include "link/client_session.h"
#include "link/frame.h"
#include "net/client.h"
#include "net/echo_socket.h"
#include "net/io_threads.h"

namespace binnacle::link {

struct LinkClientOptions {
  std::string server_url;  // http://host:port or https://
  std::string key;         // of role agent; "": the server asks for none
  Hello hello;             // versions are filled in
  int64_t first_wait_ms = 250;
  int64_t longest_wait_ms = 30'000;
  int64_t wait_after_refusal_ms = 5'000;
  size_t max_queued_frames = 200;  // check results and events; the oldest is dropped beyond
  ClientSessionOptions session;
  net::EchoSocket* echo = nullptr;  // answers and asks for the server; null: neither
};

// Called on the link's I/O thread: must not block.
struct LinkClientHooks {
  std::function<int64_t()> oldest_sample_ms;        // asked for each hello
  std::function<std::optional<LoadDigest>()> load;  // and for each beat
  std::function<void(const HelloReply&)> accepted;
  std::function<void(const HelloReply&)> refused;
  std::function<void(const Error&)> unreachable;  // with each attempt that failed
  std::function<void(const std::string& reason)> lost;
  std::function<void(int64_t interval_ms)> pace;  // 0: as configured
  std::function<void(const Peers&)> peers;
  std::function<void(const std::string& reason)> drain;
};

class LinkClient final : public CheckResultSender {
 public:
  LinkClient(LinkClientOptions options, LinkClientHooks hooks, net::Client& client,
             net::IoThreads& io, const Clock& clock, Random& random, Registry& registry);
  ~LinkClient() override;  // stop()
  LinkClient(const LinkClient&) = delete;
  LinkClient& operator=(const LinkClient&) = delete;

  void start();
  // Says goodbye, waits until the connection has ended, `grace_ms` at most.
  void stop(int64_t grace_ms = 2'000);

  void send(CheckResult result) override;
  void send(NodeEvent event);
  void set_facts(Facts facts);  // told after each hello and now, when they differ
  bool connected() const;

 private:
  class Driver;
  const std::shared_ptr<Driver> driver_;  // with its coroutine
};

}  // namespace binnacle::link
