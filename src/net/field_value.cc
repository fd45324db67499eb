#include "net/field_value.h"

#include "net/http.h"

namespace binnacle::net {

std::string_view trim_field(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string_view take_element(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim_field(head);
}

bool field_list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equal_ignoring_case(take_element(list, ','), token)) return true;
  }
  return false;
}

}  // namespace binnacle::net
