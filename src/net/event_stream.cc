// EventStream of net/stream_handler.h: the text/event-stream format of the HTML standard,
// section 9.2.
#include "net/stream_handler.h"

namespace binnacle::net {

namespace asio = boost::asio;

namespace {

// A line break within a value would begin a field of its own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value.substr(0, value.find_first_of("\r\n"));
  out += '\n';
}

void append_data(std::string& out, std::string_view data) {
  while (true) {
    const size_t end = data.find_first_of("\r\n");
    append_field(out, "data", data.substr(0, end));
    if (end == std::string_view::npos) return;
    const bool pair = data.substr(end, 2) == "\r\n";
    data.remove_prefix(end + (pair ? 2 : 1));
  }
}

}  // namespace

asio::awaitable<Status> EventStream::start(Headers headers) {
  headers.set("Content-Type", "text/event-stream");
  if (!headers.has("Cache-Control")) headers.add("Cache-Control", "no-cache");
  headers.set("X-Accel-Buffering", "no");  // a proxy in front must not hold events back
  co_return co_await writer_.start(200, std::move(headers));
}

asio::awaitable<Status> EventStream::send(std::string_view data, std::string_view event,
                                          std::string_view id) {
  std::string text;
  text.reserve(data.size() + event.size() + id.size() + 32);
  if (!event.empty()) append_field(text, "event", event);
  if (!id.empty()) append_field(text, "id", id);
  append_data(text, data);
  text += '\n';
  co_return co_await writer_.write(text);
}

asio::awaitable<Status> EventStream::keep_alive() {
  co_return co_await writer_.write(": keep-alive\n\n");
}

}  // namespace binnacle::net
