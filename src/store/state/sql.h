// SQL text that is known when the program is compiled. Every statement takes one, so that no input
// can ever become part of a statement: values go in by binding alone.
#pragma once

namespace binnacle::store::state {

class Sql {
 public:
  // consteval: anything but a literal (or another constant) does not compile.
  consteval Sql(const char* text) : text_(text) {}  // NOLINT(google-explicit-constructor)
  constexpr const char* text() const { return text_; }

 private:
  const char* text_;
};

}  // namespace binnacle::store::state
