// The bytes received on one connection and not yet used up. A request's header stays where it lies
// while the request is handled, so that views into it hold: pin() says "keep all before here",
// release() ends it. Grows on demand, never beyond what prepare() is asked for. One thread.
#pragma once

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace binnacle::net {

class InputBuffer {
 public:
  std::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  // Room for at least `bytes` behind the unread ones; views of unread bytes do not outlive this
  // call, those of pinned bytes do. The room stays where it is until the next call.
  boost::asio::mutable_buffer prepare(size_t bytes);
  void commit(size_t bytes) { end_ += bytes; }
  void consume(size_t bytes) { begin_ += bytes; }

  void pin() { floor_ = begin_; }
  // `keep_bytes`: a block larger than this is given back when nothing is unread.
  void release(size_t keep_bytes);

 private:
  std::unique_ptr<char[]> data_;
  std::unique_ptr<char[]> pinned_;  // the block that pinned bytes lie in, after growth
  size_t capacity_ = 0;
  size_t floor_ = 0;  // bytes of data_ before it are pinned
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace binnacle::net
