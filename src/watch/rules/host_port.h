// "host:port" and "[address]:port" as labels carry them. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace binnacle::watch::rules {

std::string strip_port(std::string_view host_port);    // the text itself where there is no port
std::string strip_domain(std::string_view host_port);  // "a.b:1" is "a:1"; addresses stay

}  // namespace binnacle::watch::rules
