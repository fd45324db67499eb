#include "base/template_time.h"

#include "base/go_time.h"
#include "base/time_zone.h"

#include <fmt/format.h>

namespace binnacle {
namespace {

using Args = std::span<const TemplateValue>;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kYearOne = -62'135'596'800;  // Go's zero time in Unix seconds
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};

int64_t seconds_of(const TemplateTime& time) {
  if (time.unix_ns == TemplateTime::kUnset) return kYearOne;
  return time.unix_ns / kSecond - (time.unix_ns % kSecond < 0 ? 1 : 0);
}

int nanoseconds_of(const TemplateTime& time) {
  if (time.unix_ns == TemplateTime::kUnset) return 0;
  return static_cast<int>((time.unix_ns % kSecond + kSecond) % kSecond);
}

class Duration final : public TemplateObject {
 public:
  explicit Duration(int64_t nanoseconds) : ns_(nanoseconds) {}
  int64_t nanoseconds() const { return ns_; }
  std::string text() const override { return format_go_duration(ns_); }
  bool truth() const override { return ns_ != 0; }
  Result<TemplateValue> get(std::string_view name, Args args) const override {
    if (!args.empty())
      return fail(Code::kInvalidArgument, fmt::format("{} of a duration takes no argument", name));
    const auto ns = static_cast<double>(ns_);
    if (name == "Seconds") return TemplateValue(ns / 1e9);
    if (name == "Minutes") return TemplateValue(ns / 60e9);
    if (name == "Hours") return TemplateValue(ns / 3600e9);
    if (name == "Milliseconds") return TemplateValue(ns_ / 1'000'000);
    if (name == "Microseconds") return TemplateValue(ns_ / 1'000);
    if (name == "Nanoseconds") return TemplateValue(ns_);
    if (name == "String") return TemplateValue(text());
    return fail(Code::kNotFound, fmt::format("a duration has no method {}", name));
  }

 private:
  int64_t ns_;
};

// The difference of two times, held within what a duration can say.
int64_t difference(const TemplateTime& a, const TemplateTime& b) {
  if (a.unix_ns == b.unix_ns) return 0;
  if (a.unix_ns == TemplateTime::kUnset) return INT64_MIN;
  if (b.unix_ns == TemplateTime::kUnset) return INT64_MAX;
  int64_t out = 0;
  if (__builtin_sub_overflow(a.unix_ns, b.unix_ns, &out))
    return a.unix_ns < b.unix_ns ? INT64_MIN : INT64_MAX;
  return out;
}

Result<TemplateValue> with_time(const TemplateTime& time, std::string_view name,
                                const TemplateTime& other) {
  if (name == "Before") return TemplateValue(time.unix_ns < other.unix_ns);
  if (name == "After") return TemplateValue(time.unix_ns > other.unix_ns);
  if (name == "Equal") return TemplateValue(time.unix_ns == other.unix_ns);
  return template_duration(difference(time, other));
}

Result<TemplateValue> add(const TemplateTime& time, const TemplateValue& by) {
  const auto* literal = std::get_if<int64_t>(&by.data());
  const auto duration = literal ? std::optional(*literal) : template_duration_ns(by);
  if (!duration) return fail(Code::kInvalidArgument, "Add: wants a duration");
  TemplateTime out = time;
  if (__builtin_add_overflow(time.unix_ns, *duration, &out.unix_ns))
    return fail(Code::kOutOfRange, "Add: beyond the times that can be written");
  return TemplateValue(out);
}

Result<TemplateValue> method_with_argument(const TemplateTime& time, std::string_view name,
                                           const TemplateValue& arg) {
  if (name == "Format") {
    const auto* layout = std::get_if<std::string>(&arg.data());
    if (!layout) return fail(Code::kInvalidArgument, "Format: wants a layout");
    TRY_ASSIGN(std::string text, format_template_time(time, *layout));
    return TemplateValue(std::move(text));
  }
  if (name == "Add") return add(time, arg);
  const auto* other = std::get_if<TemplateTime>(&arg.data());
  const bool compares = name == "Before" || name == "After" || name == "Equal" || name == "Sub";
  if (compares && other) return with_time(time, name, *other);
  if (compares) return fail(Code::kInvalidArgument, fmt::format("{}: wants a time", name));
  return fail(Code::kNotFound, fmt::format("a time has no method {} with an argument", name));
}

Result<TemplateValue> clock_method(const TemplateTime& time, std::string_view name) {
  TRY_ASSIGN(const CivilTime civil, civil_time(seconds_of(time), time.zone));
  const auto number = [](int64_t value) { return TemplateValue(value); };
  if (name == "Year") return number(civil.year);
  // Go's Month and Weekday print as names.
  if (name == "Month") return TemplateValue(kMonths[civil.month - 1]);
  if (name == "Weekday") return TemplateValue(kDays[civil.weekday]);
  if (name == "Day") return number(civil.day);
  if (name == "Hour") return number(civil.hour);
  if (name == "Minute") return number(civil.minute);
  if (name == "Second") return number(civil.second);
  if (name == "YearDay") return number(civil.year_day);
  return fail(Code::kNotFound, fmt::format("a time has no method {}", name));
}

}  // namespace

std::string template_time_text(const TemplateTime& time) {
  auto text = format_template_time(time, "2006-01-02 15:04:05.999999999 -0700 MST");
  return text ? *std::move(text) : text.error().message;
}

Result<std::string> format_template_time(const TemplateTime& time, std::string_view layout) {
  return format_go_time(seconds_of(time), nanoseconds_of(time), time.zone, layout);
}

Result<TemplateValue> template_time_method(const TemplateTime& time, std::string_view name,
                                           Args args) {
  if (args.size() == 1) return method_with_argument(time, name, args[0]);
  if (!args.empty())
    return fail(Code::kInvalidArgument, fmt::format("{} takes at most one argument", name));
  if (name == "Unix") return TemplateValue(seconds_of(time));
  if (name == "UnixMilli")
    return TemplateValue(seconds_of(time) * 1000 + nanoseconds_of(time) / 1'000'000);
  if (name == "UnixNano") return TemplateValue(time.unix_ns);
  if (name == "Nanosecond") return TemplateValue(int64_t{nanoseconds_of(time)});
  if (name == "IsZero") return TemplateValue(time.unix_ns == TemplateTime::kUnset);
  if (name == "UTC") return TemplateValue(TemplateTime{time.unix_ns, ""});
  if (name == "Local") return TemplateValue(TemplateTime{time.unix_ns, "Local"});
  if (name == "String") return TemplateValue(template_time_text(time));
  return clock_method(time, name);
}

TemplateValue template_duration(int64_t nanoseconds) {
  return TemplateValue(
      std::shared_ptr<const TemplateObject>(std::make_shared<Duration>(nanoseconds)));
}

std::optional<int64_t> template_duration_ns(const TemplateValue& value) {
  const auto* object = std::get_if<std::shared_ptr<const TemplateObject>>(&value.data());
  const auto* duration = object ? dynamic_cast<const Duration*>(object->get()) : nullptr;
  return duration ? std::optional(duration->nanoseconds()) : std::nullopt;
}

}  // namespace binnacle
