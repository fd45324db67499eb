#include "show/time_params.h"

#include <fmt/format.h>

#include "base/time_text.h"

namespace binnacle::show {

Result<int64_t> time_param(const net::Params& params, std::string_view name, int64_t if_absent) {
  const auto text = params.get(name);
  if (text.empty()) return if_absent;
  auto ms = parse_time_ms(text);
  if (!ms)
    return fail(std::move(ms).error().with_context(fmt::format("invalid parameter \"{}\"", name)));
  return *ms;
}

}  // namespace binnacle::show
