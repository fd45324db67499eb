#include "model/labels.h"

#include <xxhash.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::model {
namespace {

void append_packed(std::string& out, std::string_view text) {
  size_t n = text.size();
  while (n >= 0x80) {
    out.push_back(static_cast<char>(n | 0x80));
    n >>= 7;
  }
  out.push_back(static_cast<char>(n));
  out.append(text);
}

// Packed bytes are our own work, so a broken length is a bug, not input.
std::string_view take_packed(std::string_view& rest) {
  size_t n = 0;
  int shift = 0;
  size_t i = 0;
  for (;; ++i) {
    CHECK(i < rest.size() && shift <= 28);
    const auto byte = static_cast<uint8_t>(rest[i]);
    n |= static_cast<size_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
    shift += 7;
  }
  CHECK(rest.size() - i - 1 >= n);
  const std::string_view text = rest.substr(i + 1, n);
  rest.remove_prefix(i + 1 + n);
  return text;
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool is_legacy_name(std::string_view name, bool colons) {
  if (name.empty()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
    if (!letter && (i == 0 || c < '0' || c > '9')) return false;
  }
  return true;
}

}  // namespace

void LabelsView::Iterator::read() {
  if (rest_.empty()) {
    done_ = true;
    return;
  }
  label_.name = take_packed(rest_);
  label_.value = take_packed(rest_);
}

size_t LabelsView::size() const {
  size_t n = 0;
  for (auto it = begin(); it != end(); ++it) ++n;
  return n;
}

std::string_view LabelsView::get(std::string_view name) const {
  for (const Label& label : *this) {
    if (label.name == name) return label.value;
    if (label.name > name) break;
  }
  return {};
}

uint64_t LabelsView::hash() const { return XXH3_64bits(packed_.data(), packed_.size()); }

std::string LabelsView::to_string() const {
  const std::string_view metric = metric_name();
  const bool bare = is_legacy_metric_name(metric);
  std::string out(bare ? metric : std::string_view{});
  std::string inner;
  if (!bare && !metric.empty()) append_quoted(inner, metric);
  for (const Label& label : *this) {
    if (label.name == kMetricName) continue;
    if (!inner.empty()) inner += ", ";
    if (is_legacy_label_name(label.name)) {
      inner += label.name;
    } else {
      append_quoted(inner, label.name);
    }
    inner.push_back('=');
    append_quoted(inner, label.value);
  }
  if (!inner.empty() || out.empty()) out += "{" + inner + "}";
  return out;
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.set(name, value);
  *this = builder.build();
}

LabelsBuilder::LabelsBuilder(LabelsView base) {
  for (const Label& label : base) labels_.emplace_back(label.name, label.value);
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
  for (auto& [n, v] : labels_) {
    if (n == name) {
      v = value;
      return *this;
    }
  }
  labels_.emplace_back(name, value);
  return *this;
}

std::string_view LabelsBuilder::get(std::string_view name) const {
  for (const auto& [n, v] : labels_) {
    if (n == name) return v;
  }
  return {};
}

Labels LabelsBuilder::build() const {
  std::vector<const std::pair<std::string, std::string>*> order;
  order.reserve(labels_.size());
  for (const auto& label : labels_) {
    if (!label.second.empty()) order.push_back(&label);
  }
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  Labels out;
  for (const auto* label : order) {
    append_packed_label(out.packed_, label->first, label->second);
  }
  return out;
}

int compare(LabelsView a, LabelsView b) {
  auto ia = a.begin();
  auto ib = b.begin();
  for (;; ++ia, ++ib) {
    const bool end_a = ia == a.end();
    const bool end_b = ib == b.end();
    if (end_a || end_b) return static_cast<int>(end_b) - static_cast<int>(end_a);
    if (const int by_name = ia->name.compare(ib->name); by_name != 0) return by_name;
    if (const int by_value = ia->value.compare(ib->value); by_value != 0) return by_value;
  }
}

void append_packed_label(std::string& packed, std::string_view name, std::string_view value) {
  append_packed(packed, name);
  append_packed(packed, value);
}

bool is_legacy_label_name(std::string_view name) { return is_legacy_name(name, false); }
bool is_legacy_metric_name(std::string_view name) { return is_legacy_name(name, true); }

}  // namespace binnacle::model
