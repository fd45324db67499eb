// For tests: engines over real HTTP on free loopback ports, one that answers as it is told and one
// that says nothing.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/check.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "collect/engines/scrape_fixture.h"
#include "net/server.h"

namespace binnacle::collect::engines {

// An engine: answers by path, changeable while it runs.
class FakeEngine {
 public:
  using Answers = std::map<std::string, std::string>;  // bodies by path

  explicit FakeEngine(Answers answers) : bodies_(std::move(answers)), io_(1), pool_("fake", 1, 16) {
    CHECK(router_.add({.method = net::Method::kGet,
                       .pattern = "/{path...}",
                       .role = Role::kPublic,
                       .handler = net::Handler([this](const net::Request& request) {
                         return answer(std::string(request.path));
                       }),
                       .run_on = net::RunOn::kIoThread}));
    server_ = std::make_unique<net::Server>(io_, router_, nullptr, pool_, registry_, clock_,
                                            net::ServerLimits{});
    CHECK(server_->listen({.address = "127.0.0.1:0"}));
    io_.start();
    server_->start();
  }
  ~FakeEngine() {
    server_->stop(std::chrono::milliseconds(0));
    server_.reset();
    io_.stop();
  }

  std::string url() const { return "http://" + server_->addresses()[0]; }
  uint16_t port() const {
    const std::string address = server_->addresses()[0];
    return static_cast<uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
  }
  void set(const std::string& path, int status, const std::string& body) {
    MutexLock lock(mu_);
    bodies_[path] = body;
    statuses_[path] = status;
  }

 private:
  net::Response answer(const std::string& path) {
    MutexLock lock(mu_);
    const auto body = bodies_.find(path);
    if (body == bodies_.end()) return net::Response::text(404, "no such path");
    const auto status = statuses_.find(path);
    return net::Response::json(status == statuses_.end() ? 200 : status->second, body->second);
  }

  Mutex mu_;
  Answers bodies_ GUARDED_BY(mu_);
  std::map<std::string, int> statuses_ GUARDED_BY(mu_);
  SystemClock clock_;
  Registry registry_;
  net::Router router_;
  net::IoThreads io_;
  ThreadPool pool_;
  std::unique_ptr<net::Server> server_;
};

// What a fixture's file says, by path.
FakeEngine::Answers fixture_answers(const std::string& fixture);

// Takes connections into its backlog and never reads them.
class SilentEngine {
 public:
  SilentEngine() : acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {}
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace binnacle::collect::engines
