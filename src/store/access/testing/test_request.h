// A request that holds its own bytes, as the server would hand it to a guard or a handler. One
// thread.
#pragma once

#include "net/http.h"

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::store::access {

class TestRequest {
 public:
  explicit TestRequest(net::Method method = net::Method::kGet, std::string target = "/") {
    connection.peer_address = "127.0.0.1";
    connection.peer_is_loopback = true;
    connection.listener = "127.0.0.1:8080";
    request.method = method;
    request.target = keep(std::move(target));
    const size_t question = request.target.find('?');
    request.path = request.target.substr(0, question);
    if (question != std::string_view::npos) request.query = request.target.substr(question + 1);
    request.connection = &connection;
    with("Host", "localhost:8080");
  }
  TestRequest(const TestRequest&) = delete;
  TestRequest& operator=(const TestRequest&) = delete;

  TestRequest& with(std::string name, std::string value) {
    const std::string_view kept = keep(std::move(name));
    for (net::HeaderView& header : headers_) {
      if (net::equal_ignoring_case(header.name, kept)) {
        header.value = keep(std::move(value));
        return *this;
      }
    }
    headers_.push_back({kept, keep(std::move(value))});
    request.headers = headers_;
    return *this;
  }
  TestRequest& bearer(const std::string& key) { return with("Authorization", "Bearer " + key); }
  TestRequest& cookie(const std::string& id) {
    return with("Cookie", "a=b; binnacle_session=" + id);
  }
  TestRequest& body(std::string text) {
    request.body = keep(std::move(text));
    return *this;
  }
  TestRequest& from(std::string address) {
    connection.peer_address = std::move(address);
    connection.peer_is_loopback = false;
    return *this;
  }

  net::Connection connection;
  net::Request request;

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::deque<std::string> texts_;
  std::vector<net::HeaderView> headers_;
};

}  // namespace binnacle::store::access
