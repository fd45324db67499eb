// For tests: a receiver of remote write on a free loopback port that keeps what it takes and
// answers as it is told.
#pragma once

#include <snappy.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread_pool.h"
#include "model/labels.h"
#include "net/io_threads.h"
#include "net/router.h"
#include "net/server.h"

namespace binnacle::collect::ship {

class TestReceiver {
 public:
  using Samples = std::map<std::string, std::vector<std::pair<int64_t, double>>>;  // by series
  // Of the n-th request, from 1. Only what is answered 2xx is kept.
  using Answer = std::function<net::Response(int number)>;

  explicit TestReceiver(Answer answer = nullptr) : answer_(std::move(answer)) {
    net::Route route;
    route.method = net::Method::kPost;
    route.pattern = "/api/v1/write";
    route.role = Role::kPublic;
    route.takes_coded_body = true;
    route.limits.max_body_bytes = size_t{16} << 20;
    route.handler = [this](const net::Request& request) { return take(request); };
    CHECK(router_.add(std::move(route)));
    server_ = std::make_unique<net::Server>(io_, router_, nullptr, pool_, registry_, clock_,
                                            net::ServerLimits{});
    net::ListenerOptions listener;
    listener.address = "127.0.0.1:0";
    CHECK(server_->listen(listener));
    io_.start();
    server_->start();
  }
  ~TestReceiver() { server_->stop(std::chrono::milliseconds(0)); }

  std::string url() const { return "http://" + server_->addresses().front() + "/api/v1/write"; }
  int requests() const { return requests_; }
  Samples samples() const {
    const MutexLock held(mu_);
    return samples_;
  }
  size_t count() const {
    const MutexLock held(mu_);
    size_t sum = 0;
    for (const auto& [series, samples] : samples_) sum += samples.size();
    return sum;
  }
  std::map<std::string, std::pair<int, std::string>> metadata() const {  // type and help
    const MutexLock held(mu_);
    return metadata_;
  }

 private:
  net::Response take(const net::Request& request) {
    const int number = ++requests_;
    net::Response answer = answer_ ? answer_(number) : net::Response::text(204, "");
    if (answer.status / 100 != 2) return answer;
    CHECK(request.header("Content-Encoding") == "snappy");
    CHECK(request.header("Content-Type") == "application/x-protobuf");
    CHECK(request.header("X-Prometheus-Remote-Write-Version") == "0.1.0");
    std::string message;
    CHECK(snappy::Uncompress(request.body.data(), request.body.size(), &message));
    const MutexLock held(mu_);
    protozero::pbf_reader fields(message);
    while (fields.next()) {
      if (fields.tag() == 1) {
        take_series(fields.get_message());
      } else {
        CHECK(fields.tag() == 3);
        take_metadata(fields.get_message());
      }
    }
    return answer;
  }

  void take_series(protozero::pbf_reader fields) REQUIRES(mu_) {
    std::string series;
    std::string name_before;
    std::vector<std::pair<int64_t, double>> samples;
    while (fields.next()) {
      const bool label = fields.tag() == 1;
      protozero::pbf_reader inner = fields.get_message();
      if (label) {
        std::string name;
        std::string value;
        while (inner.next()) {
          std::string& part = inner.tag() == 1 ? name : value;
          part = inner.get_string();
        }
        CHECK(name_before < name);  // sorted
        name_before = name;
        series += name + "=" + value + ";";
      } else {
        std::pair<int64_t, double> sample;
        while (inner.next()) {
          if (inner.tag() == 1) {
            sample.second = inner.get_double();
          } else {
            sample.first = inner.get_int64();
          }
        }
        samples.push_back(sample);
      }
    }
    auto& all = samples_[series];
    all.insert(all.end(), samples.begin(), samples.end());
  }

  void take_metadata(protozero::pbf_reader fields) REQUIRES(mu_) {
    std::string metric;
    std::pair<int, std::string> words;
    while (fields.next()) {
      switch (fields.tag()) {
        case 1:
          words.first = fields.get_enum();
          break;
        case 2:
          metric = fields.get_string();
          break;
        case 4:
          words.second = fields.get_string();
          break;
        default:
          fields.skip();
      }
    }
    metadata_[metric] = words;
  }

  const Answer answer_;
  SystemClock clock_;
  Registry registry_;
  net::Router router_;
  net::IoThreads io_{1};
  ThreadPool pool_{"receiver", 4, 64};
  std::unique_ptr<net::Server> server_;

  std::atomic<int> requests_ = 0;
  mutable Mutex mu_;
  Samples samples_ GUARDED_BY(mu_);
  std::map<std::string, std::pair<int, std::string>> metadata_ GUARDED_BY(mu_);
};

}  // namespace binnacle::collect::ship
