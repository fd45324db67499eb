#include "net/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace binnacle::net {

boost::asio::mutable_buffer InputBuffer::prepare(size_t bytes) {
  if (empty()) begin_ = end_ = floor_;
  if (capacity_ - end_ >= bytes) return {data_.get() + end_, capacity_ - end_};
  const size_t unread = end_ - begin_;
  if (capacity_ - floor_ >= unread + bytes) {
    std::memmove(data_.get() + floor_, data_.get() + begin_, unread);
    begin_ = floor_;
    end_ = begin_ + unread;
    return {data_.get() + end_, capacity_ - end_};
  }
  const size_t capacity =
      std::max(unread + bytes, std::min(capacity_ * 2, unread + bytes + capacity_));
  std::unique_ptr<char[]> grown(new char[capacity]);
  if (unread > 0) std::memcpy(grown.get(), data_.get() + begin_, unread);
  if (floor_ > 0) pinned_ = std::move(data_);
  data_ = std::move(grown);
  capacity_ = capacity;
  floor_ = begin_ = 0;
  end_ = unread;
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::release(size_t keep_bytes) {
  pinned_.reset();
  floor_ = 0;
  if (!empty()) return;
  begin_ = end_ = 0;
  if (capacity_ > keep_bytes) {
    data_.reset();
    capacity_ = 0;
  }
}

}  // namespace binnacle::net
