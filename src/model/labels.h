// A label set: names and values, sorted by name, packed into one string (varint length, bytes, for
// each name and each value). Two sets are equal when their bytes are, so a store finds a series by
// hashing what came in without building strings. An empty value means the label is absent, so it is
// never stored.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace binnacle::model {

inline constexpr std::string_view kMetricName = "__name__";

struct Label {
  std::string_view name;
  std::string_view value;
  friend bool operator==(const Label&, const Label&) = default;
};

// A view of packed label bytes that someone else holds.
class LabelsView {
 public:
  LabelsView() = default;
  explicit LabelsView(std::string_view packed)
      : packed_(packed) {}  // trusted: came from Labels::packed()

  class Iterator {
   public:
    using value_type = Label;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(std::string_view rest) : rest_(rest) { read(); }
    Iterator() = default;
    const Label& operator*() const { return label_; }
    const Label* operator->() const { return &label_; }
    Iterator& operator++() {
      read();
      return *this;
    }
    void operator++(int) { read(); }
    friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.done_; }

   private:
    void read();
    std::string_view rest_;
    Label label_;
    bool done_ = false;
  };
  Iterator begin() const { return Iterator(packed_); }
  std::default_sentinel_t end() const { return {}; }

  bool empty() const { return packed_.empty(); }
  size_t size() const;                                // number of labels; linear
  std::string_view get(std::string_view name) const;  // "" when absent
  std::string_view metric_name() const { return get(kMetricName); }
  uint64_t hash() const;  // xxh3 of the packed bytes; stable across processes
  std::string_view packed() const { return packed_; }
  std::string to_string() const;  // up{job="x"}; `{a="b"}` without a name
  friend bool operator==(const LabelsView& a, const LabelsView& b) {
    return a.packed_ == b.packed_;
  }

 private:
  std::string_view packed_;
};

// Owns its bytes. Immutable but for assignment.
class Labels {
 public:
  Labels() = default;
  Labels(std::initializer_list<std::pair<std::string_view, std::string_view>>
             labels);  // for literals and tests
  explicit Labels(LabelsView view) : packed_(view.packed()) {}

  LabelsView view() const { return LabelsView(packed_); }
  operator LabelsView() const { return view(); }
  LabelsView::Iterator begin() const { return view().begin(); }
  std::default_sentinel_t end() const { return {}; }
  bool empty() const { return packed_.empty(); }
  std::string_view get(std::string_view name) const { return view().get(name); }
  std::string_view metric_name() const { return view().metric_name(); }
  uint64_t hash() const { return view().hash(); }
  const std::string& packed() const { return packed_; }
  std::string to_string() const { return view().to_string(); }
  friend bool operator==(const Labels& a, const Labels& b) { return a.packed_ == b.packed_; }

 private:
  friend class LabelsBuilder;
  std::string packed_;
};

// Collects labels in any order. build() sorts; of two with one name the later wins; empty values
// vanish.
class LabelsBuilder {
 public:
  LabelsBuilder() = default;
  explicit LabelsBuilder(LabelsView base);
  LabelsBuilder& set(std::string_view name, std::string_view value);
  LabelsBuilder& remove(std::string_view name) { return set(name, ""); }
  std::string_view get(std::string_view name) const;
  Labels build() const;
  void reset() { labels_.clear(); }

 private:
  std::vector<std::pair<std::string, std::string>> labels_;
};

// Compares label by label, name then value: the order of series in answers.
int compare(LabelsView a, LabelsView b);

// Appends one label to packed bytes. The caller sees to it that names rise and values are not
// empty.
void append_packed_label(std::string& packed, std::string_view name, std::string_view value);

bool is_legacy_label_name(std::string_view name);   // [a-zA-Z_][a-zA-Z0-9_]*
bool is_legacy_metric_name(std::string_view name);  // colons too

}  // namespace binnacle::model
