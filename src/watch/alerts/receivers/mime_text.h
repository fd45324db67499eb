// Text as mail carries it: quoted-printable (RFC 2045, 6.7), encoded words (RFC 2047), lists of
// addresses (RFC 5322, 3.4). Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace binnacle::watch::alerts {

// Lines of 76 characters at most that end in CRLF.
std::string quoted_printable(std::string_view text);

// A header field's value: as it is where it is short printable ASCII, else in encoded words,
// folded. Line breaks in it cannot begin another field.
std::string header_text(std::string_view value);

struct MailAddress {
  std::string name;            // may be empty
  std::string address;         // "a@b"
  std::string header() const;  // as a header field has it
};

// "a@b, Name <c@d>, "Last, First" <e@f>". kInvalidArgument shows the text.
Result<std::vector<MailAddress>> parse_addresses(std::string_view text);
std::string address_header(const std::vector<MailAddress>& addresses);

}  // namespace binnacle::watch::alerts
