#include "base/template_compare.h"

#include "base/template_format.h"

#include <fmt/format.h>

namespace binnacle {
namespace {

Unexpected incompatible(std::string_view what, const TemplateValue& a, const TemplateValue& b) {
  return fail(Code::kInvalidArgument,
              fmt::format("{}: incompatible types for comparison: {} and {}", what,
                          template_type_name(a), template_type_name(b)));
}

Status need(std::string_view what, std::span<const TemplateValue> args, size_t count) {
  if (args.size() == count) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{}: wants {} arguments, has {}", what, count, args.size()));
}

bool is_nil(const TemplateValue& value) {
  return std::holds_alternative<std::monostate>(value.data());
}

Result<bool> equal(std::string_view what, const TemplateValue& a, const TemplateValue& b) {
  if (is_nil(a) || is_nil(b)) return is_nil(a) && is_nil(b);
  if (a.data().index() != b.data().index()) return incompatible(what, a, b);
  if (const auto* t = std::get_if<TemplateTime>(&a.data()))
    return t->unix_ns == std::get<TemplateTime>(b.data()).unix_ns;
  const bool plain =
      std::holds_alternative<bool>(a.data()) || std::holds_alternative<int64_t>(a.data()) ||
      std::holds_alternative<double>(a.data()) || std::holds_alternative<std::string>(a.data());
  if (plain) return a.data() == b.data();
  return fail(Code::kInvalidArgument,
              fmt::format("{}: {} cannot be compared", what, template_type_name(a)));
}

Result<bool> less(std::string_view what, const TemplateValue& a, const TemplateValue& b) {
  if (a.data().index() != b.data().index()) return incompatible(what, a, b);
  if (const auto* i = std::get_if<int64_t>(&a.data())) return *i < std::get<int64_t>(b.data());
  if (const auto* d = std::get_if<double>(&a.data())) return *d < std::get<double>(b.data());
  if (const auto* s = std::get_if<std::string>(&a.data()))
    return *s < std::get<std::string>(b.data());
  return fail(Code::kInvalidArgument,
              fmt::format("{}: {} has no order", what, template_type_name(a)));
}

// Not less, and greater: NaN is neither, and Go's le is "less or equal".
Result<TemplateValue> less_or_equal(std::string_view what, const TemplateValue& a,
                                    const TemplateValue& b) {
  TRY_ASSIGN(const bool is_less, less(what, a, b));
  if (is_less) return TemplateValue(true);
  TRY_ASSIGN(const bool is_equal, equal(what, a, b));
  return TemplateValue(is_equal);
}

}  // namespace

Result<TemplateValue> template_eq(std::span<const TemplateValue> args) {
  if (args.size() < 2)
    return fail(Code::kInvalidArgument, "eq: wants a value and what it is compared with");
  for (const TemplateValue& other : args.subspan(1)) {
    TRY_ASSIGN(const bool same, equal("eq", args[0], other));
    if (same) return TemplateValue(true);
  }
  return TemplateValue(false);
}

Result<TemplateValue> template_ne(std::span<const TemplateValue> args) {
  TRY(need("ne", args, 2));
  TRY_ASSIGN(const bool same, equal("ne", args[0], args[1]));
  return TemplateValue(!same);
}

Result<TemplateValue> template_lt(std::span<const TemplateValue> args) {
  TRY(need("lt", args, 2));
  TRY_ASSIGN(const bool result, less("lt", args[0], args[1]));
  return TemplateValue(result);
}

Result<TemplateValue> template_le(std::span<const TemplateValue> args) {
  TRY(need("le", args, 2));
  return less_or_equal("le", args[0], args[1]);
}

Result<TemplateValue> template_gt(std::span<const TemplateValue> args) {
  TRY(need("gt", args, 2));
  // Go: not "less or equal", also where an argument is NaN.
  TRY_ASSIGN(const TemplateValue result, less_or_equal("gt", args[0], args[1]));
  return TemplateValue(!result.truth());
}

Result<TemplateValue> template_ge(std::span<const TemplateValue> args) {
  TRY(need("ge", args, 2));
  TRY_ASSIGN(const bool result, less("ge", args[0], args[1]));
  return TemplateValue(!result);
}

}  // namespace binnacle
