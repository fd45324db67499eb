// Reading the text of /proc and /sys: lines, fields, numbers. Views point into the text that was
// handed in; nothing allocates but the message of an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace binnacle::collect::host {

// Takes the next line (without its end) off `rest`; false when nothing is left.
bool next_line(std::string_view& rest, std::string_view& line);

// Takes the next run of bytes other than spaces and tabs off `rest`; empty when nothing is left.
std::string_view next_field(std::string_view& rest);

std::string_view trim(std::string_view text);  // spaces, tabs and line ends at both ends

// The whole text as a finite number, or nothing. Integers are read exactly up to 2^53.
std::optional<double> parse_number(std::string_view text);
// The same for signed integers, decimal or 0x hexadecimal.
std::optional<int64_t> parse_integer(std::string_view text);

// A name under /proc that is a process.
bool is_pid(std::string_view name);
// What /proc/<pid>/cmdline says, its first 4096 bytes, with a blank between arguments; empty for
// threads of the kernel.
std::string command_line(std::string raw);

// Keeps the first thing that is wrong with what a part reads, so that one bad line costs no good
// one.
class Faults {
 public:
  // "read PATH: cannot make sense of WHAT (VALUE)"; long values are cut.
  void bad(std::string_view path, std::string_view what, std::string_view value);
  void add(const Status& status);
  bool any() const { return !first_.has_value(); }
  Status take() { return std::move(first_); }

 private:
  Status first_;
};

}  // namespace binnacle::collect::host
