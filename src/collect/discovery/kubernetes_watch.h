// One kind of Kubernetes objects kept up to date: listed page by page, then watched from the
// version of the list on; listed anew when the server says that the version is too old. Backs off
// while the server fails. On one I/O thread.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/thread_pool.h"
#include "collect/discovery/kubernetes_groups.h"
#include "collect/discovery/kubernetes_objects.h"
#include "collect/discovery/source_health.h"
#include "net/http_peer.h"

namespace binnacle::collect::discovery {

struct KubernetesTiming {
  std::chrono::milliseconds first_rest{1'000};  // after a failure; doubled up to the longest
  std::chrono::milliseconds longest_rest{30'000};
  std::chrono::milliseconds settle{100};  // changes that come together are handed on together
  std::chrono::seconds watch_time{290};   // the server ends a watch then, and a new one begins
};

// What becomes of the objects. Called on the I/O thread.
class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  // All there are; what is not among them is gone.
  virtual void listed(size_t watch, std::vector<KubeObject> objects) = 0;
  virtual void changed(size_t watch, KubeObject object) = 0;
  virtual void deleted(size_t watch, const std::string& key) = 0;
};

struct WatchTarget {
  size_t watch = 0;  // the sink's number for it
  std::string url;   // "https://host/api/v1/pods"
  std::string label_selector;
  std::string field_selector;
};

class KubernetesWatch {
 public:
  // References outlive it.
  KubernetesWatch(WatchTarget target, net::HttpPeer& peer, ObjectSink& sink, SourceHealth& health,
                  ThreadPool& pool, Random& random, const KubernetesTiming& timing);

  boost::asio::awaitable<void> run();  // until cancelled

 private:
  std::string query() const;
  boost::asio::awaitable<Status> list();
  boost::asio::awaitable<Result<ObjectPage>> list_page(const std::string& continue_token);
  boost::asio::awaitable<Status> watch();
  boost::asio::awaitable<Status> read_events(net::ClientStream& stream);
  Status take_lines(std::string& buffer);
  std::chrono::milliseconds next_rest();

  // Fixed after construction
  const WatchTarget target_;
  net::HttpPeer& peer_;
  ObjectSink& sink_;
  SourceHealth& health_;
  ThreadPool& pool_;
  Random& random_;
  const KubernetesTiming timing_;

  // I/O thread only
  std::string version_;  // empty: to be listed
  int failures_ = 0;     // one after the other
};

}  // namespace binnacle::collect::discovery
